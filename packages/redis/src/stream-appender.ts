import type { PublishOutcome } from '@waybill/core';
import { assertName, ownMessage, publishSendable, type Message } from '@waybill/core/adapter';

import { AppendFailure, outcomesOf, type Appending } from './append-outcome.ts';
import { appendPermitted } from './append-permitted.ts';
import { AppendQueue, type AppendCall } from './append-queue.ts';
import { appendAll, type AppendPlace } from './append-script.ts';
import { compareIds, laterId } from './entry-id.ts';
import { publishInParts } from './publish-parts.ts';
import { replyCodeOf } from './redis-errors.ts';

/**
 * Puts messages into their streams: whatever was published while Redis was busy with the last ones goes
 * as one command, and a lone message goes at once.
 */
export class StreamAppender {
  readonly #place: AppendPlace;
  readonly #calls: AppendQueue<Appending>;
  readonly #lastIds = new Map<string, string>();
  readonly #onLost: (stream: string, lastId: string) => void;

  /** @param onLost Called with a stream that has lost what was put into it, and the youngest entry of that. */
  constructor(place: AppendPlace, onLost: (stream: string, lastId: string) => void) {
    this.#place = place;
    this.#onLost = onLost;
    this.#calls = new AppendQueue((calls) => this.#append(calls));
  }

  /** The youngest entry that was put into each stream from here. */
  get lastIds(): ReadonlyMap<string, string> {
    return this.#lastIds;
  }

  /** Takes note that a stream has begun anew. */
  forget(stream: string): void {
    this.#lastIds.delete(stream);
  }

  /**
   * @param marker The mark that the server must bear, if any is expected.
   * @returns What became of each message; the position is the id of its entry.
   * @throws {EventError} `TRANSPORT_UNAVAILABLE`; `DESTINATION_CHANGED`
   */
  publish(messages: readonly Message[], marker?: string): Promise<readonly PublishOutcome[]> {
    if (marker !== undefined) assertName('a mark', marker);
    else if (messages.length === 0) return Promise.resolve([]);
    return publishSendable(messages, (sendable) =>
      // Copied here: what the publisher does with its bytes afterwards changes nothing.
      publishInParts(sendable.map(ownMessage), (part) =>
        this.#calls.add({ messages: part, marker }),
      ),
    );
  }

  /** Resolves when nothing is on its way any more. */
  settled(): Promise<void> {
    return this.#calls.settled();
  }

  /** @param calls Which expect the same mark. */
  async #append(calls: readonly AppendCall[]): Promise<readonly Appending[]> {
    const messages = calls.map((call) => call.messages);
    const { marker } = calls[0]!;
    try {
      return await this.#appendAll(messages, marker).catch(async (error: unknown) => {
        if (replyCodeOf(error) !== 'NOPERM') throw error;
        const refused = { calls: messages, marker };
        return await appendPermitted(this.#place, refused, (rest) => this.#appendAll(rest, marker));
      });
    } catch (error) {
      const failed = AppendFailure.of(error);
      return calls.map(() => failed);
    }
  }

  async #appendAll(
    calls: readonly (readonly Message[])[],
    marker: string | undefined,
  ): Promise<readonly Appending[]> {
    const { ids, empty, youngest } = await appendAll(this.#place, calls, marker);
    for (const [stream, lastId] of empty) this.#checkLoss(stream, lastId);
    for (const [stream, id] of youngest) {
      this.#lastIds.set(stream, laterId(id, this.#lastIds.get(stream) ?? id));
    }
    let at = 0;
    return calls.map((messages) =>
      outcomesOf(messages, ids.slice(at, (at += messages.length)), this.#place.names),
    );
  }

  /** A stream that was empty when something was put into it has been trimmed, or has lost everything. */
  #checkLoss(stream: string, lastId: string): void {
    const known = this.#lastIds.get(stream);
    if (known === undefined || compareIds(lastId, known) >= 0) return;
    this.forget(stream);
    this.#onLost(stream, known);
  }
}
