import type { EventError } from '@waybill/core';
import { assertCarriable, type Message, ownMessage } from '@waybill/core/adapter';

import { AppendQueue, maxBytes } from './append-queue.ts';
import { appendAll, isAccepted } from './append-script.ts';
import { compareIds, laterId } from './entry-id.ts';
import { redisError } from './redis-errors.ts';
import type { RedisCall } from './redis-script.ts';
import { sizeOf } from './stream-entry.ts';
import type { StreamNames } from './stream-names.ts';

/** Most messages in one script: Redis serves nobody else meanwhile. */
const maxMessages = 500;

/**
 * Puts messages into their streams: whatever was published while Redis was busy with the last ones goes
 * as one command, and a lone message goes at once.
 */
export class StreamAppender {
  readonly #call: RedisCall;
  readonly #names: StreamNames;
  readonly #calls: AppendQueue<readonly string[] | EventError>;
  readonly #lastIds = new Map<string, string>();
  readonly #onLost: (stream: string, lastId: string) => void;

  /** @param onLost Called with a stream that has lost what was put into it, and the youngest entry of that. */
  constructor(
    call: RedisCall,
    names: StreamNames,
    onLost: (stream: string, lastId: string) => void,
  ) {
    this.#call = call;
    this.#names = names;
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
   * @returns The id of each entry.
   * @throws {EventError} `TRANSPORT_UNAVAILABLE`; `MESSAGE_UNPARSEABLE` if a text has no UTF-8
   */
  async publish(messages: readonly Message[]): Promise<readonly string[]> {
    for (const message of messages) assertCarriable(message);
    const ids: string[] = [];
    // Copied here: what the publisher does with its bytes afterwards changes nothing.
    for (const part of partsOf(messages.map(ownMessage))) {
      const accepted = await this.#calls.add(part);
      if (accepted instanceof Error) throw accepted;
      ids.push(...accepted);
    }
    return ids;
  }

  /** Resolves when nothing is on its way any more. */
  settled(): Promise<void> {
    return this.#calls.settled();
  }

  async #append(
    calls: readonly (readonly Message[])[],
  ): Promise<(readonly string[] | EventError)[]> {
    try {
      const { ids, empty, youngest } = await appendAll(this.#call, this.#names, calls);
      for (const [stream, lastId] of empty) this.#checkLoss(stream, lastId);
      for (const [stream, id] of youngest) {
        this.#lastIds.set(stream, laterId(id, this.#lastIds.get(stream) ?? id));
      }
      let at = 0;
      return calls.map((messages) => outcomeOf(messages, ids.slice(at, (at += messages.length))));
    } catch (error) {
      const failed = redisError(error, 'take messages');
      return calls.map(() => failed);
    }
  }

  /** A stream that was empty when something was put into it has been trimmed, or has lost everything. */
  #checkLoss(stream: string, lastId: string): void {
    const known = this.#lastIds.get(stream);
    if (known === undefined || compareIds(lastId, known) >= 0) return;
    this.forget(stream);
    this.#onLost(stream, known);
  }
}

function outcomeOf(
  messages: readonly Message[],
  ids: readonly string[],
): readonly string[] | EventError {
  const refused = ids.findIndex((id) => !isAccepted(id));
  if (refused < 0) return ids;
  const { type, id } = messages[refused]!;
  const reason = ids[refused]!.replace(/^-/, '');
  return redisError(Object.assign(new Error(reason), { name: 'ReplyError' }), `take ${type} ${id}`);
}

/** A call that is too long goes in parts, each after the one before was accepted. */
function partsOf(messages: readonly Message[]): readonly (readonly Message[])[] {
  const parts: Message[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const last = parts.at(-1);
    const size = sizeOf(message);
    bytes += size;
    if (last && last.length < maxMessages && bytes <= maxBytes) last.push(message);
    else {
      parts.push([message]);
      bytes = size;
    }
  }
  return parts;
}
