// Inputs 1 to 40, at both ways in: published by a caller of ours, and put on the transport by anybody.

import { envelope } from './cases/envelope.ts';
import { json } from './cases/json.ts';
import { objects } from './cases/objects.ts';
import { text } from './cases/text.ts';
import { describeDoors } from './support/doors.ts';

describeDoors([envelope, text, json, objects]);
