import type { EventError, PublishOutcome } from '@waybill/core';
import { accepted, eventLabel, HeldKeys, type Message, oneLine } from '@waybill/core/adapter';

import { heldBack, isAccepted } from './append-script.ts';
import { isReply, redisError, refusesOne } from './redis-errors.ts';
import type { StreamNames } from './stream-names.ts';

/** Why nothing of a call is known to be accepted. */
export class AppendFailure {
  readonly error: EventError;
  /** True if Redis may have accepted it: its answer did not come. */
  readonly mayBeAccepted: boolean;

  constructor(error: EventError, { mayBeAccepted }: { mayBeAccepted: boolean }) {
    this.error = error;
    this.mayBeAccepted = mayBeAccepted;
  }

  static of(error: unknown): AppendFailure {
    return new AppendFailure(redisError(error, 'take messages'), {
      mayBeAccepted: !isReply(error),
    });
  }
}

/** What became of each message of a call, or why all of it failed. */
export type Appending = readonly PublishOutcome[] | AppendFailure;

/**
 * What became of each message of a call.
 *
 * @param ids As the script gives them.
 * @returns A failure if Redis takes nothing at all just now.
 */
export function outcomesOf(
  messages: readonly Message[],
  ids: readonly string[],
  names: StreamNames,
): Appending {
  if (ids.every(isAccepted)) return ids.map(accepted);
  const told = ids.filter((id) => id !== heldBack);
  if (told.every((id) => !isAccepted(id) && !refusesOne(replyOf(id)))) {
    return AppendFailure.of(replyOf(told[0]!));
  }
  const held = new HeldKeys();
  return messages.map((message, index) => {
    const id = ids[index]!;
    if (isAccepted(id)) return accepted(id);
    return held.refusalOf(message) ?? held.note(message, refused(message, replyOf(id), names));
  });
}

/** Puts what became of the rest between the refusals of messages that were not sent with it. */
export function between(
  refusals: readonly (PublishOutcome | undefined)[],
  rest: Appending,
): Appending {
  if (rest instanceof AppendFailure) return rest;
  const outcomes = rest.values();
  return refusals.map((refusal) => refusal ?? outcomes.next().value!);
}

/** The outcome of a message that Redis refused. */
export function refused(message: Message, answer: unknown, names: StreamNames): PublishOutcome {
  const { id: eventId, type: eventType } = message;
  const doing = `take ${eventLabel(message)} into ${oneLine(names.streamOf(eventType))}`;
  const error = redisError(answer, doing, { eventId, eventType });
  return { status: 'refused', error };
}

/** What the answer to one command would have been, for what a script was told. */
function replyOf(reason: string): Error {
  return Object.assign(new Error(reason.replace(/^-/, '')), { name: 'ReplyError' });
}
