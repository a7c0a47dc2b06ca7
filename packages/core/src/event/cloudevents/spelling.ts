import { metadataNames, wireNames } from '../attribute-names.ts';
import type { Profile } from '../envelope.ts';
import { EventError } from '../../errors.ts';
import { eventLabel } from '../event-label.ts';
import { oneLine, shown } from '../../text.ts';
import type { Observer } from '../../observer.ts';
import { readDataBase64 } from './data-base64.ts';
import { unparseable } from './unparseable.ts';
import type { WireEvent } from './wire-event.ts';

const whole = /^(?:0|[1-9]\d{0,9})$/;

/**
 * Brings an event from outside into our own spelling: camel-case names in lower case, attributes
 * that are `null` left out, `data_base64` decoded, integers that came as text as numbers.
 *
 * @param observe Hears of each camel-case name.
 * @throws {EventError} `ENVELOPE_CONFLICT` if two spellings differ, `MESSAGE_UNPARSEABLE`
 */
export function respell(wire: WireEvent, profile: Profile, observe?: Observer): WireEvent {
  const spelled = new Map<string, unknown>();
  const eventType = typeof wire['type'] === 'string' ? wire['type'] : '';
  const add = (name: string, value: unknown): void => {
    if (spelled.has(name) && !Object.is(spelled.get(name), value)) {
      throw conflict(wire, name, spelled.get(name), value);
    }
    spelled.set(name, value);
  };
  const lowerCase = lowerCaseNames(profile);
  for (const [name, value] of Object.entries(wire)) {
    if (value === undefined || (value === null && name !== 'data')) continue;
    const nested = name === 'metadata' ? metadataEntries(value) : undefined;
    const lower = lowerCase.get(name);
    if (nested || lower !== undefined)
      observe?.({ kind: 'wire-spelling', attribute: name, eventType });
    if (nested) for (const [inner, innerValue] of nested) add(inner, innerValue);
    else add(lower ?? name, value);
  }
  for (const name of ['version', 'retrycount']) {
    const value = spelled.get(name);
    if (typeof value === 'string' && whole.test(value)) spelled.set(name, Number(value));
  }
  takeDataBase64(spelled);
  return Object.fromEntries(spelled);
}

/** The names that differ on the wire, by how they are spelled in code. */
function lowerCaseNames(profile: Profile): Map<string, string> {
  const names = Object.entries({ ...wireNames, ...metadataNames });
  for (const { name, wire } of profile.attributes) names.push([name, wire]);
  return new Map(names.filter(([name, wire]) => name !== wire));
}

/** The parts of an object `metadata`, by their names on the wire; nothing if it is something else. */
function metadataEntries(value: unknown): [string, unknown][] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const entries = Object.entries(value);
  if (!entries.every(([name]) => Object.hasOwn(metadataNames, name))) return undefined;
  return entries
    .filter(([, part]) => part !== null)
    .map(([name, part]) => [metadataNames[name as keyof typeof metadataNames], part]);
}

function takeDataBase64(spelled: Map<string, unknown>): void {
  const value = spelled.get('data_base64');
  if (value === undefined) return;
  if (spelled.has('data'))
    throw unparseable('the event has data and data_base64; send one of them');
  spelled.delete('data_base64');
  spelled.set('data', readDataBase64(value));
}

function conflict(
  wire: WireEvent,
  attribute: string,
  one: unknown,
  other: unknown,
): EventError<'ENVELOPE_CONFLICT'> {
  const { id } = wire;
  return new EventError(
    'ENVELOPE_CONFLICT',
    `${eventLabel(wire)}: ${oneLine(attribute)} is ${shown(one)} in one spelling and ${shown(other)} in the other; send it once`,
    { ...(typeof id === 'string' && id.length <= 255 ? { eventId: id } : {}), attribute },
  );
}
