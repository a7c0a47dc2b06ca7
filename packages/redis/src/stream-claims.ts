import type { Clock, Observer } from '@waybill/core';
import { LeaseKeeper, type Judgement, type TroubleSource } from '@waybill/core/adapter';

import { ageMs, stampNow } from './claim-stamp.ts';
import { releaseAll, renewOwned } from './claim-scripts.ts';
import { redisError, replyCodeOf } from './redis-errors.ts';
import type { RedisArgument } from './redis-like.ts';
import type { RedisCall } from './redis-script.ts';
import type { StreamDelivery } from './stream-delivery.ts';
import { inParts, StreamSettlements } from './stream-settlements.ts';

export interface StreamClaimsOptions {
  readonly group: string;
  readonly consumer: string;
  /** After this long without a sign of life others may take an entry, in milliseconds. */
  readonly claimMs: number;
  /** By which registry settled messages were judged, and the key of that registry. */
  readonly judgement: Judgement | undefined;
  readonly registryKey: string;
  readonly retryMs: number;
  /** A command waits for a connection for this long at most, in milliseconds. */
  readonly timeoutMs: number;
  readonly call: RedisCall;
  readonly clock: Clock;
  readonly observe: Observer;
  /** Called with each delivery that somebody else has taken. */
  readonly onLost: (delivery: StreamDelivery) => void;
  /** Takes note of a failure that is followed by another try. */
  readonly failed: (error: unknown, source: TroubleSource) => void;
  readonly settling: TroubleSource;
  readonly beating: TroubleSource;
}

/** Most ids in one command. */
const maxIds = 500;

/** What a consumer has read and not finished: keeps the claims alive, and tells Redis what is settled. */
export class StreamClaims {
  readonly #options: StreamClaimsOptions;
  /** By stream and entry id. */
  readonly #held = new Map<string, Map<string, StreamDelivery>>();
  readonly #settlements: StreamSettlements;
  readonly #keeper: LeaseKeeper;

  constructor(options: StreamClaimsOptions) {
    const { claimMs: leaseMs, clock, failed, beating } = options;
    this.#options = options;
    this.#settlements = new StreamSettlements({
      ...options,
      isFresh: (delivery) => this.#isFresh(delivery, options.timeoutMs),
      onStale: (delivery) => this.reportStale('settle', delivery),
    });
    this.#keeper = new LeaseKeeper({
      leaseMs,
      clock,
      // Each claim is lost on its own.
      renew: () => this.#beat().then(() => true),
      onRenewed: () => beating.gotOn(),
      onFailed: (error) => failed(redisError(error, 'renew claims'), beating),
    });
  }

  /** Adds what was read. @returns What was not known before. */
  add(deliveries: readonly StreamDelivery[]): StreamDelivery[] {
    return deliveries.filter((delivery) => {
      const ofStream = this.#ofStream(delivery.stream);
      const known = ofStream.get(delivery.entryId);
      if (!known) ofStream.set(delivery.entryId, delivery);
      else {
        // Read once more although it is in hand, because its group was made anew.
        known.claimedAt = delivery.claimedAt;
        known.claimCount = delivery.claimCount;
      }
      return !known;
    });
  }

  /** Says whether an entry is in hand, or settled and not yet so at Redis. */
  knows(stream: string, entryId: string): boolean {
    return this.#ofStream(stream).has(entryId) || this.#settlements.knows(stream, entryId);
  }

  /** Begins to give signs of life. */
  start(): void {
    this.#keeper.start();
  }

  /** Takes note that an entry is finished. */
  settle(delivery: StreamDelivery): void {
    const ofStream = this.#ofStream(delivery.stream);
    if (ofStream.get(delivery.entryId) === delivery) ofStream.delete(delivery.entryId);
    this.#settlements.add(delivery);
  }

  /** Sends what was settled. */
  flush(): void {
    this.#settlements.flush();
  }

  /**
   * Ends the signs of life, tells Redis what was settled, and hands back whatever else is pending for us; if
   * that cannot be told now, others take it when the claims lapse.
   *
   * @param unused Those that were never handed out.
   * @param deadlineMs Longest wait for what was settled, in milliseconds.
   * @throws {EventError} `TRANSPORT_UNAVAILABLE` if Redis could not be told of that within the time.
   */
  async end(
    sources: readonly { readonly stream: string }[],
    unused: readonly StreamDelivery[],
    deadlineMs: number,
  ): Promise<void> {
    try {
      // One that is under way is the last: another could claim anew what somebody else has settled by then.
      this.#keeper.stop();
      await this.#settlements.close(deadlineMs);
    } finally {
      // At once: a server that is away is waited for once, and not for each stream.
      await Promise.all(sources.map(({ stream }) => this.#release(stream, unused)));
    }
  }

  async #release(stream: string, unused: readonly StreamDelivery[]): Promise<void> {
    const { call, group, consumer, observe } = this.#options;
    const neverHanded = unused.filter((each) => each.stream === stream);
    const waited = [...this.#ofStream(stream).values()].filter(({ isTakenBack }) => isTakenBack);
    const ids = [...neverHanded, ...waited].map(({ entryId }) => entryId);
    try {
      await releaseAll.run(call, [stream], [group, consumer, neverHanded.length, ...ids]);
    } catch (error) {
      if (replyCodeOf(error) !== 'NOGROUP') observe({ kind: 'consume-failed', group, error });
    }
  }

  /** Counts a call of somebody who was no longer the owner. */
  reportStale(what: string, { coordinates }: StreamDelivery): void {
    const { observe, group } = this.#options;
    observe({ kind: 'stale-refused', group, what, coordinates });
  }

  async #beat(): Promise<void> {
    for (const [stream, ofStream] of this.#held) {
      for (const part of inParts([...ofStream.values()], maxIds)) await this.#renew(stream, part);
    }
  }

  async #renew(stream: string, deliveries: readonly StreamDelivery[]): Promise<void> {
    const { call, group, consumer, onLost } = this.#options;
    const sentAt = stampNow();
    const args = deliveries.flatMap<RedisArgument>((delivery) => [
      delivery.entryId,
      delivery.claimCount,
      this.#isFresh(delivery) ? 1 : 0,
    ]);
    const [refused, anew] = await renewOwned.run(call, [stream], [group, consumer, ...args]);
    const ofStream = this.#ofStream(stream);
    for (const delivery of deliveries) {
      // It may have been settled while the answer was on its way.
      const isHeld = ofStream.get(delivery.entryId) === delivery;
      if (!refused.includes(delivery.entryId)) delivery.claimedAt = sentAt;
      else if (isHeld) {
        ofStream.delete(delivery.entryId);
        this.reportStale('heartbeat', delivery);
        onLost(delivery);
      }
      // Redis may have heard of that first: a script that it did not know is sent a second time.
      if (!isHeld && anew.includes(delivery.entryId)) this.settle(delivery);
    }
  }

  /**
   * Says whether nobody else can have taken it by now; half of the time is left for what is on its way.
   *
   * @param inMs By then, rather than by now, in milliseconds.
   */
  #isFresh({ claimedAt }: StreamDelivery, inMs = 0): boolean {
    return ageMs(claimedAt) + inMs < this.#options.claimMs / 2;
  }

  #ofStream(stream: string): Map<string, StreamDelivery> {
    let ofStream = this.#held.get(stream);
    if (!ofStream) this.#held.set(stream, (ofStream = new Map()));
    return ofStream;
  }
}
