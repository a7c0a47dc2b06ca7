import { EventError, type Clock, type Observer } from '@waybill/core';
import { endsWithin, GrowingDelay, LeaseKeeper, type TroubleSource } from '@waybill/core/adapter';

import { ageMs, stampNow } from './claim-stamp.ts';
import { releaseAll, renewOwned, settleOwned } from './claim-scripts.ts';
import { redisError, replyCodeOf } from './redis-errors.ts';
import type { RedisArgument } from './redis-like.ts';
import type { RedisCall } from './redis-script.ts';
import { redisTransport, type StreamDelivery } from './stream-delivery.ts';

export interface StreamClaimsOptions {
  readonly group: string;
  readonly consumer: string;
  /** After this long without a sign of life others may take an entry, in milliseconds. */
  readonly claimMs: number;
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

/** Longest pause after Redis could not be told something, in milliseconds. */
const longestRetryMs = 2_000;
/** Most ids in one command. */
const maxIds = 500;

/** What a consumer has read and not finished: keeps the claims alive, and tells Redis what is settled. */
export class StreamClaims {
  readonly #options: StreamClaimsOptions;
  /** By stream and entry id. */
  readonly #held = new Map<string, Map<string, StreamDelivery>>();
  /** Settled here, and not yet at Redis. */
  #settled: StreamDelivery[] = [];
  readonly #underWay = new Set<StreamDelivery>();
  #flushing: Promise<void> | undefined;
  #flushScheduled = false;
  readonly #keeper: LeaseKeeper;
  #closed = false;

  constructor(options: StreamClaimsOptions) {
    const { claimMs: leaseMs, clock, failed, beating } = options;
    this.#options = options;
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
    if (this.#ofStream(stream).has(entryId)) return true;
    const isIt = (each: StreamDelivery): boolean =>
      each.entryId === entryId && each.stream === stream;
    return this.#settled.some(isIt) || [...this.#underWay].some(isIt);
  }

  /** Begins to give signs of life. */
  start(): void {
    this.#keeper.start();
  }

  /** Takes note that an entry is finished; Redis hears of it together with others of this turn. */
  settle(delivery: StreamDelivery): void {
    const ofStream = this.#ofStream(delivery.stream);
    if (ofStream.get(delivery.entryId) === delivery) ofStream.delete(delivery.entryId);
    this.#settled.push(delivery);
    if (this.#flushScheduled || this.#flushing) return;
    this.#flushScheduled = true;
    setImmediate(() => this.flush());
  }

  /** Sends what was settled, unless that is under way already: what comes meanwhile follows. */
  flush(): void {
    this.#flushScheduled = false;
    this.#flushing ??= this.#flush().finally(() => (this.#flushing = undefined));
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
      await this.#close(deadlineMs);
    } finally {
      // At once: a server that is away is waited for once, and not for each stream.
      await Promise.all(sources.map(({ stream }) => this.#release(stream, unused)));
    }
  }

  async #close(deadlineMs: number): Promise<void> {
    // One that is under way is the last: another could claim anew what somebody else has settled by then.
    this.#keeper.stop();
    this.flush();
    await endsWithin(this.#options.clock, deadlineMs, this.#drained());
    this.#closed = true;
    const untold = this.#settled.length + this.#underWay.size;
    if (untold === 0) return;
    throw new EventError(
      'TRANSPORT_UNAVAILABLE',
      `Redis could not be told that ${untold} messages are settled; they will come again`,
      { transport: redisTransport },
    );
  }

  async #release(stream: string, unused: readonly StreamDelivery[]): Promise<void> {
    const { call, group, consumer, observe } = this.#options;
    const ids = unused.filter((each) => each.stream === stream).map(({ entryId }) => entryId);
    try {
      await releaseAll.run(call, [stream], [group, consumer, ...ids]);
    } catch (error) {
      if (replyCodeOf(error) !== 'NOGROUP') observe({ kind: 'consume-failed', group, error });
    }
  }

  async #drained(): Promise<void> {
    while (this.#flushing) await this.#flushing;
  }

  async #flush(): Promise<void> {
    const { clock, retryMs, failed, settling } = this.#options;
    const delay = new GrowingDelay({ firstMs: retryMs, maxMs: longestRetryMs });
    while (this.#settled.length > 0 && !this.#closed) {
      const batch = this.#settled.splice(0);
      for (const delivery of batch) this.#underWay.add(delivery);
      try {
        await Promise.all(
          [...Map.groupBy(batch, ({ stream }) => stream)].map(([stream, deliveries]) =>
            this.#settleAll(stream, deliveries),
          ),
        );
        delay.reset();
        settling.gotOn();
      } catch (error) {
        failed(redisError(error, 'be told what is settled'), settling);
        // What Redis has done already is done again without harm.
        this.#settled.unshift(...batch.filter((delivery) => this.#underWay.has(delivery)));
        await clock.sleep(delay.next());
      } finally {
        for (const delivery of batch) this.#underWay.delete(delivery);
      }
    }
  }

  /** Those whose claim cannot have lapsed go without a question; the others only if they are still ours. */
  async #settleAll(stream: string, deliveries: readonly StreamDelivery[]): Promise<void> {
    const { timeoutMs } = this.#options;
    const { fresh = [], doubtful = [] } = Object.groupBy(deliveries, (delivery) =>
      this.#isFresh(delivery, timeoutMs) ? 'fresh' : 'doubtful',
    );
    await Promise.all([this.#acknowledge(stream, fresh), this.#settleOwned(stream, doubtful)]);
  }

  async #acknowledge(stream: string, deliveries: readonly StreamDelivery[]): Promise<void> {
    const { call, group } = this.#options;
    for (const part of inParts(deliveries)) {
      await forgivingGroup(() =>
        call('XACK', stream, group, ...part.map(({ entryId }) => entryId)),
      );
      for (const delivery of part) this.#underWay.delete(delivery);
    }
  }

  async #settleOwned(stream: string, deliveries: readonly StreamDelivery[]): Promise<void> {
    const { call, group, consumer } = this.#options;
    for (const part of inParts(deliveries)) {
      const args = part.flatMap(({ entryId, claimCount }) => [entryId, claimCount]);
      const refused = await forgivingGroup(() =>
        settleOwned.run(call, [stream], [group, consumer, ...args]),
      );
      for (const delivery of part) {
        this.#underWay.delete(delivery);
        if (refused?.includes(delivery.entryId)) this.reportStale('settle', delivery);
      }
    }
  }

  /** Counts a call of somebody who was no longer the owner. */
  reportStale(what: string, { coordinates }: StreamDelivery): void {
    const { observe, group } = this.#options;
    observe({ kind: 'stale-refused', group, what, coordinates });
  }

  async #beat(): Promise<void> {
    for (const [stream, ofStream] of this.#held) {
      for (const part of inParts([...ofStream.values()])) await this.#renew(stream, part);
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

/** A group that has vanished has nothing to settle; its reader makes it anew. */
async function forgivingGroup<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (replyCodeOf(error) === 'NOGROUP') return undefined;
    throw error;
  }
}

function inParts<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / maxIds) }, (_, index) =>
    items.slice(index * maxIds, (index + 1) * maxIds),
  );
}
