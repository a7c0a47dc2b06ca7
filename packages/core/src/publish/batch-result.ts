import { EventError, isEventError, type BatchOutcome } from '../errors.ts';
import type { EncodedEvent } from '../event/message.ts';
import { messageOfThrown } from '../thrown.ts';

/** What became of one event: the event itself, or why it was refused. */
export type EventResult = PromiseSettledResult<EncodedEvent>;

/** The events that are good so far. */
export function goodOf(results: readonly EventResult[]): EncodedEvent[] {
  return results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
}

/**
 * What became of each event in the end.
 *
 * @param checks For each event whether it may be sent.
 * @param sends For each event that was sent, in the same order, whether it is on its way.
 */
export function combined(
  checks: readonly EventResult[],
  sends: readonly PromiseSettledResult<unknown>[],
): EventResult[] {
  const rest = sends.values();
  return checks.map((check) => {
    if (check.status === 'rejected') return check;
    const send = rest.next().value;
    return send?.status === 'rejected' ? send : check;
  });
}

/**
 * @throws {EventError} `BATCH_INCOMPLETE` with one outcome per event, if any was refused.
 * @throws The error itself where one and the same refused them all.
 */
export function assertComplete(results: readonly EventResult[]): void {
  const refused = results.filter((result) => result.status === 'rejected');
  if (refused.length === 0) return;
  const reason: unknown = refused[0]?.reason;
  if (refused.length === results.length && refused.every((other) => other.reason === reason)) {
    throw reason;
  }
  throw new EventError(
    'BATCH_INCOMPLETE',
    `${refused.length} of ${results.length} events were refused; details.outcomes says which and why`,
    { outcomes: results.map(outcomeOf) },
  );
}

function outcomeOf(result: EventResult, index: number): BatchOutcome {
  if (result.status === 'fulfilled') return { status: 'published', eventId: result.value.event.id };
  return { status: 'failed', index, error: asEventError(result.reason) };
}

function asEventError(error: unknown): EventError {
  if (isEventError(error)) return error;
  const details = { attribute: '' };
  return new EventError('ENVELOPE_INVALID', messageOfThrown(error), details, { cause: error });
}
