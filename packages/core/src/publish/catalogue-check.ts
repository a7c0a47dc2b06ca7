import {
  checkPayload,
  payloadInvalid,
  type Catalogue,
  type PayloadCheck,
} from '../event/catalogue.ts';
import type { EventEnvelope } from '../event/envelope.ts';
import { EventError } from '../errors.ts';
import type { Warnings } from '../warnings.ts';

/**
 * Holds an event against a catalogue before it is published.
 *
 * @returns A promise only where a schema has to wait for something.
 * @param strict Refuses what is otherwise a warning: an unknown type, and missing key data.
 * @throws {EventError} `PAYLOAD_INVALID`, `TYPE_UNKNOWN`
 */
export function checkAgainst(
  catalogue: Catalogue,
  event: EventEnvelope,
  strict: boolean,
  warnings: Warnings,
): Promise<void> | void {
  const { type, data } = event;
  const definition = catalogue.get(type);
  if (!definition) {
    const message = `${type} is not in the catalogue, so nobody can know its schema; define it with defineEvent`;
    if (strict) throw new EventError('TYPE_UNKNOWN', message, { eventType: type });
    warnings.once('TYPE_NOT_IN_CATALOGUE', type, message);
    return;
  }
  const check = checkPayload(definition.schema, data);
  if (check instanceof Promise) return check.then((found) => judge(event, found, strict, warnings));
  judge(event, check, strict, warnings);
}

function judge(
  event: EventEnvelope,
  { missing, invalid }: PayloadCheck,
  strict: boolean,
  warnings: Warnings,
): void {
  const { type } = event;
  if (invalid.length > 0 || (strict && missing.length > 0)) {
    throw payloadInvalid(event, [...invalid, ...missing]);
  }
  for (const { path } of missing) {
    warnings.once(
      'KEY_DATA_MISSING',
      `${type} ${path}`,
      `${type} was published without data.${path}, which the catalogue calls key data; add it`,
    );
  }
}
