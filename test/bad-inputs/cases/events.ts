import type { Doors } from '../support/doors.ts';
import { envelope } from './envelope.ts';
import { json } from './json.ts';
import { objects } from './objects.ts';
import { text } from './text.ts';

/** Inputs 1 to 40. */
export const events: readonly Doors[] = [envelope, text, json, objects];
