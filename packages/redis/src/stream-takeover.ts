import type { Observer } from '@waybill/core';

import {
  heldByOthers,
  progressOf,
  readAgain,
  releasedConsumer,
  takeOver,
  type TakenEntry,
} from './claim-scripts.ts';
import { stampNow, type ClaimStamp } from './claim-stamp.ts';
import { idBefore } from './entry-id.ts';
import type { RedisCall } from './redis-script.ts';
import { redisTransport } from './stream-delivery.ts';

/** Most entries in one look. */
const maxAtOnce = 100;

export interface StreamTakeoverOptions {
  readonly group: string;
  readonly consumer: string;
  readonly claimMs: number;
  readonly call: RedisCall;
  readonly observe: Observer;
  /**
   * Called when entries of our own have had no sign of life: a read that was given up has reached Redis
   * late, and nobody here knows what it brought.
   */
  readonly onForgotten: () => void;
  /** How many more entries are wanted. */
  readonly room: () => number;
  readonly accept: (
    stream: string,
    entries: readonly TakenEntry[],
    claimedAt: ClaimStamp,
  ) => Promise<unknown>;
}

/** Takes entries over from consumers of the group that have died, frozen or left. */
export class StreamTakeover {
  readonly #options: StreamTakeoverOptions;

  constructor(options: StreamTakeoverOptions) {
    this.#options = options;
  }

  /**
   * Takes what lapsed, as much as is wanted.
   *
   * @returns What is left of it: a suspect, to be taken alone, or what there is no room for.
   */
  async takeLapsed(stream: string): Promise<'nothing' | 'suspect' | 'no-room'> {
    for (;;) {
      const limit = Math.min(this.#options.room(), maxAtOnce);
      if (limit <= 0) return (await this.#isLapsed(stream)) ? 'no-room' : 'nothing';
      const { count, suspect } = await this.#take(stream, limit, false);
      if (suspect) return 'suspect';
      if (count < limit) return 'nothing';
    }
  }

  /** Takes the oldest lapsed entry, whatever it may have done to its former owners. @returns False if there is none. */
  async takeSuspect(stream: string): Promise<boolean> {
    return (await this.#take(stream, 1, true)).count > 0;
  }

  /** Reads once more what Redis says is ours and we do not know: the answer with it got lost. */
  async recover(stream: string, isKnown: (entryId: string) => boolean): Promise<void> {
    const { call, group, consumer, accept } = this.#options;
    for (let start = '-'; ;) {
      const args = [stream, group, start, '+', maxAtOnce, consumer];
      const mine = (await call('XPENDING', ...args)) as [id: string][];
      const unknown = mine.map(([id]) => id).filter((id) => !isKnown(id));
      if (unknown.length > 0) {
        const claimedAt = stampNow();
        const [taken, gone] = await readAgain.run(call, [stream], [group, consumer, ...unknown]);
        this.#reportGone(stream, gone);
        await accept(stream, taken, claimedAt);
      }
      if (mine.length < maxAtOnce) return;
      start = `(${mine.at(-1)![0]}`;
    }
  }

  /** The youngest entry that anybody of the group holds. */
  async youngestPending(stream: string): Promise<string | undefined> {
    const { call, group } = this.#options;
    const [count, , youngest] = (await call('XPENDING', stream, group)) as [number, string, string];
    return count > 0 ? youngest : undefined;
  }

  /** The entry up to which the group has settled everything. */
  async settledUpTo(stream: string): Promise<string> {
    const { call, group } = this.#options;
    const [oldestPending, lastDelivered] = await progressOf.run(call, [stream], [group]);
    return oldestPending === '' ? lastDelivered : idBefore(oldestPending);
  }

  /** What others hold up to an entry; `lapsed` if any of that may be taken over. */
  async heldByOthers(stream: string, upTo: string): Promise<'nothing' | 'alive' | 'lapsed'> {
    const { call, group, consumer, claimMs } = this.#options;
    const held = await heldByOthers.run(call, [stream], [group, consumer, upTo, claimMs]);
    return (['nothing', 'alive', 'lapsed'] as const)[held];
  }

  /** Says whether others have anything that may be taken over. */
  async #isLapsed(stream: string): Promise<boolean> {
    const { call, group, consumer, claimMs } = this.#options;
    const args = [stream, group, 'IDLE', claimMs, '-', '+', maxAtOnce];
    const lapsed = (await call('XPENDING', ...args)) as [id: string, owner: string][];
    return lapsed.some(([, owner]) => owner !== consumer);
  }

  async #take(
    stream: string,
    limit: number,
    suspects: boolean,
  ): Promise<{ count: number; suspect: boolean }> {
    const { call, group, consumer, claimMs, accept, onForgotten } = this.#options;
    const claimedAt = stampNow();
    const args = [group, consumer, claimMs, limit, suspects ? 1 : 0];
    const [taken, gone, suspect, own] = await takeOver.run(call, [stream], args);
    if (own === 1) onForgotten();
    this.#reportTaken(stream, taken);
    this.#reportGone(stream, gone);
    await accept(stream, taken, claimedAt);
    return { count: taken.length + gone.length, suspect: suspect === 1 };
  }

  #reportTaken(stream: string, taken: readonly TakenEntry[]): void {
    const { observe, group } = this.#options;
    for (const [owner, entries] of Map.groupBy(taken, ([, , former]) => former)) {
      if (owner === releasedConsumer) continue;
      const what = `${entries.length} of ${stream}, from ${owner}`;
      observe({ kind: 'took-over', group, what });
    }
  }

  #reportGone(stream: string, gone: readonly string[]): void {
    const { observe, group } = this.#options;
    for (const until of gone) {
      observe({ kind: 'lost', transport: redisTransport, stream, group, reason: 'deleted', until });
    }
  }
}
