import { EventError, isEventError, type PublishOutcome } from '@waybill/core';
import { eventLabel, HeldKeys, type Message } from '@waybill/core/adapter';

import { AppendFailure, between, type Appending } from './append-outcome.ts';
import { maxBytes } from './append-queue.ts';
import { redisTransport } from './stream-delivery.ts';
import { sizeOf } from './stream-entry.ts';

type Part = readonly Message[];

/** Most messages in one script: Redis serves nobody else meanwhile. */
const maxMessages = 500;

/**
 * Publishes the messages of one call, in parts if they are too many for one script, each after the one before
 * was answered. What was refused in one part holds back its key in the others.
 *
 * @param append Appends one part as one step.
 * @throws {EventError} Why the first part failed; `DESTINATION_CHANGED` whichever part met it.
 */
export async function publishInParts(
  messages: readonly Message[],
  append: (part: Part) => Promise<Appending>,
): Promise<readonly PublishOutcome[]> {
  const parts = partsOf(messages);
  const first = await append(parts[0]!);
  if (first instanceof AppendFailure) throw first.error;
  if (parts.length === 1) return first;
  const held = new HeldKeys();
  const outcomes = first.map((outcome, index) => held.note(messages[index]!, outcome));
  for (const part of parts.slice(1)) {
    const refusals = part.map((message) => held.refusalOf(message));
    const rest = part.filter((_, index) => refusals[index] === undefined);
    const appended = between(refusals, rest.length > 0 ? await append(rest) : []);
    if (appended instanceof AppendFailure) {
      // Another server has begun in the middle: what the one before had taken is to be sent again as well.
      if (isEventError(appended.error, 'DESTINATION_CHANGED')) throw appended.error;
      const failed = part.map((message, index) => refusals[index] ?? unsure(message, appended));
      const unsent = messages.slice(outcomes.length + part.length);
      return [...outcomes, ...failed, ...unsent.map((message) => notSent(message, appended))];
    }
    outcomes.push(...appended.map((outcome, index) => held.note(part[index]!, outcome)));
  }
  return outcomes;
}

/** The outcome of a message of a part that failed. */
function unsure(message: Message, failure: AppendFailure): PublishOutcome {
  const { mayBeAccepted } = failure;
  return {
    status: mayBeAccepted ? 'unknown' : 'refused',
    error: because(message, failure, mayBeAccepted ? 'may have been taken' : 'was not taken'),
  };
}

/** The outcome of a message of a part that was not sent, because one before it failed. */
function notSent(message: Message, failure: AppendFailure): PublishOutcome {
  const error = because(message, failure, 'was not sent, since what came before it failed');
  return { status: 'refused', error };
}

function because(message: Message, { error: cause }: AppendFailure, what: string): EventError {
  const { id: eventId, type: eventType } = message;
  const reason = cause.message.replace(`${cause.code}: `, '');
  const details = { transport: redisTransport, eventId, eventType };
  const options = { cause, retryable: cause.retryable };
  const words = `${eventLabel(message)} ${what}: ${reason}`;
  return new EventError('TRANSPORT_UNAVAILABLE', words, details, options);
}

/** @returns One part at least. */
function partsOf(messages: readonly Message[]): readonly Part[] {
  if (messages.length === 1) return [messages];
  const parts: Message[][] = [[]];
  let bytes = 0;
  for (const message of messages) {
    const last = parts.at(-1)!;
    const size = sizeOf(message);
    bytes += size;
    if (last.length === 0 || (last.length < maxMessages && bytes <= maxBytes)) last.push(message);
    else {
      parts.push([message]);
      bytes = size;
    }
  }
  return parts;
}
