import { payloadInvalid, type Catalogue } from './catalogue.ts';
import type { EventEnvelope } from './envelope.ts';
import { EventError } from './errors.ts';
import type { Warnings } from './warnings.ts';

/**
 * Holds an event against a catalogue before it is published.
 *
 * @param strict Refuses what is otherwise a warning: an unknown type, and missing key data.
 * @throws {EventError} `PAYLOAD_INVALID`, `TYPE_UNKNOWN`
 */
export async function checkAgainst(
  catalogue: Catalogue,
  event: EventEnvelope,
  strict: boolean,
  warnings: Warnings,
): Promise<void> {
  const { type, data } = event;
  if (!catalogue.get(type)) {
    const message = `${type} is not in the catalogue, so nobody can know its schema; define it with defineEvent`;
    if (strict) throw new EventError('TYPE_UNKNOWN', message, { eventType: type });
    warnings.once('TYPE_NOT_IN_CATALOGUE', type, message);
    return;
  }
  const { missing, invalid } = await catalogue.check(type, data);
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
