import { EventError } from '../../errors.ts';
import { eventLabel } from '../event-label.ts';
import { headerText, shownHeader } from '../header-text.ts';
import type { Header } from '../message.ts';
import { oneLine, shown } from '../../text.ts';
import type { WireEvent } from './wire-event.ts';

/**
 * Makes sure that attributes which a structured message repeats as headers, as in binary mode, say
 * the same there as in the body. One that repeats must do so each time; bytes count as their UTF-8 text.
 *
 * @throws {EventError} `ENVELOPE_CONFLICT`
 */
export function assertHeadersAgree(wire: WireEvent, headers: readonly Header[]): void {
  for (const [name, value] of headers) {
    const attribute = /^ce[-_](.+)$/.exec(name.toLowerCase())?.[1];
    if (attribute === undefined) continue;
    const inBody = Object.hasOwn(wire, attribute) ? wire[attribute] : undefined;
    if (says(headerText(value), String(inBody))) continue;
    throw new EventError(
      'ENVELOPE_CONFLICT',
      `${eventLabel(wire)}: header ${oneLine(name)} says ${shown(shownHeader(value))}, the body ${shown(inBody)}; leave out the header`,
      { attribute: oneLine(attribute) },
    );
  }
}

function says(text: string | undefined, inBody: string): boolean {
  return text !== undefined && (text === inBody || percentDecoded(text) === inBody);
}

function percentDecoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    // A broken escape cannot stand for what is in the body.
    return undefined;
  }
}
