import { EventError, isEventError } from '../errors.ts';
import { eventLabel } from '../event/event-label.ts';
import type { Message } from '../event/message.ts';
import { assertCarriable } from './carriable.ts';

/** What became of one message of a publish. */
export type PublishOutcome =
  /** The broker has it, as durably as it ever will; `position` is where, as the broker prints it. */
  | { readonly status: 'accepted'; readonly position: string }
  /** The broker does not have it. `error.retryable` says whether it may take it later as it is. */
  | { readonly status: 'refused'; readonly error: EventError }
  /** The broker may have it: its answer got lost. To be repeated with the same id. */
  | { readonly status: 'unknown'; readonly error: EventError };

/** Hands messages to a broker, and says for each what became of it. */
export type Publish = (messages: readonly Message[]) => Promise<readonly PublishOutcome[]>;

export const accepted = (position: string): PublishOutcome => ({ status: 'accepted', position });

/**
 * Which keys of one publish have a message that was not accepted: what comes behind it must not be
 * accepted either, or it would overtake.
 */
export class HeldKeys {
  /** By key, the message that is waited for. */
  readonly #held = new Map<string, Message>();

  /** True while everything was accepted. */
  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /**
   * Says what is to become of a message before it is sent.
   *
   * @returns A refusal if it has to wait behind another one, or no transport could carry it; nothing if it
   *   may be sent.
   */
  refusalOf(message: Message): PublishOutcome | undefined {
    const first = this.#held.get(message.key);
    if (first) return { status: 'refused', error: heldBack(message, first) };
    try {
      assertCarriable(message);
      return undefined;
    } catch (error) {
      if (!isEventError(error)) throw error;
      this.#held.set(message.key, message);
      return { status: 'refused', error };
    }
  }

  /** Takes note of what became of a message. @returns The outcome itself. */
  note(message: Message, outcome: PublishOutcome): PublishOutcome {
    if (outcome.status !== 'accepted' && !this.#held.has(message.key)) {
      this.#held.set(message.key, message);
    }
    return outcome;
  }
}

/**
 * Publishes what may be sent, in one call for all of it, and puts the outcomes of the rest beside theirs.
 *
 * @param send Gets the messages that are not refused from the start, and gives one outcome for each.
 */
export async function publishSendable(
  messages: readonly Message[],
  send: Publish,
): Promise<readonly PublishOutcome[]> {
  const held = new HeldKeys();
  const refusals = messages.map((message) => held.refusalOf(message));
  if (held.isEmpty) return await send(messages);
  const sendable = messages.filter((_, index) => refusals[index] === undefined);
  const sent = (sendable.length > 0 ? await send(sendable) : []).values();
  return refusals.map((refusal) => refusal ?? sent.next().value!);
}

/**
 * The positions, for callers that want all or an error.
 *
 * @throws The error of the first message that was not accepted.
 */
export function positionsOf(outcomes: readonly PublishOutcome[]): string[] {
  return outcomes.map((outcome) => {
    if (outcome.status !== 'accepted') throw outcome.error;
    return outcome.position;
  });
}

/** The error for a message that waits behind another one of its key. */
export function heldBack(message: Message, first: Message): EventError<'TRANSPORT_UNAVAILABLE'> {
  return new EventError(
    'TRANSPORT_UNAVAILABLE',
    `${eventLabel(message)} was not sent: ${eventLabel(first)} of its key was not accepted, and it must not overtake`,
    { transport: 'unknown', eventId: message.id, eventType: message.type },
  );
}
