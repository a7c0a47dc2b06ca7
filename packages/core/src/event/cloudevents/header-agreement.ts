import { EventError } from '../../errors.ts';
import { eventLabel } from '../event-label.ts';
import { oneLine, shown } from '../../text.ts';
import type { WireEvent } from './wire-event.ts';

/**
 * Makes sure that attributes which a structured message repeats as headers, as in binary mode, say
 * the same there as in the body.
 *
 * @throws {EventError} `ENVELOPE_CONFLICT`
 */
export function assertHeadersAgree(
  wire: WireEvent,
  headers: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(headers)) {
    const attribute = /^ce[-_](.+)$/.exec(name.toLowerCase())?.[1];
    if (attribute === undefined) continue;
    const inBody = Object.hasOwn(wire, attribute) ? wire[attribute] : undefined;
    if (String(inBody) === value || String(inBody) === percentDecoded(value)) continue;
    throw new EventError(
      'ENVELOPE_CONFLICT',
      `${eventLabel(wire)}: header ${oneLine(name)} says ${shown(value)}, the body ${shown(inBody)}; leave out the header`,
      { attribute: oneLine(attribute) },
    );
  }
}

function percentDecoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    // A broken escape cannot stand for what is in the body.
    return undefined;
  }
}
