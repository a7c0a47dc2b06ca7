import { endsWithin, GrowingDelay, SettledBatch } from '@waybill/core/adapter';
import type { Judgement, TroubleSource } from '@waybill/core/adapter';
import { EventError, type Clock } from '@waybill/core';

import { acknowledge, settleOwned } from './claim-scripts.ts';
import { redisError, replyCodeOf } from './redis-errors.ts';
import type { RedisCall } from './redis-script.ts';
import { redisTransport, type StreamDelivery } from './stream-delivery.ts';

export interface StreamSettlementsOptions {
  readonly group: string;
  readonly consumer: string;
  /** By which registry settled messages were judged, and the key of that registry. */
  readonly judgement: Judgement | undefined;
  readonly registryKey: string;
  readonly retryMs: number;
  readonly call: RedisCall;
  readonly clock: Clock;
  /** Says whether nobody else can have taken it by the time that a command is answered. */
  readonly isFresh: (delivery: StreamDelivery) => boolean;
  /** Called with each that somebody else had taken when it was settled. */
  readonly onStale: (delivery: StreamDelivery) => void;
  /** Takes note of a failure that is followed by another try. */
  readonly failed: (error: unknown, source: TroubleSource) => void;
  readonly settling: TroubleSource;
}

/** Longest pause after Redis could not be told something, in milliseconds. */
const longestRetryMs = 2_000;
/** Most ids in one command. */
const maxIds = 500;

/** Tells Redis what is settled, which it takes under the group's registry as it is only. */
export class StreamSettlements {
  readonly #options: StreamSettlementsOptions;
  readonly #settled: SettledBatch<StreamDelivery>;
  #flushing: Promise<void> | undefined;
  #flushScheduled = false;
  #closed = false;

  constructor(options: StreamSettlementsOptions) {
    this.#options = options;
    this.#settled = new SettledBatch(options.judgement);
  }

  /** Says whether an entry is settled and not yet so at Redis. */
  knows(stream: string, entryId: string): boolean {
    if (this.#settled.size === 0) return false;
    return this.#settled.list().some((each) => each.entryId === entryId && each.stream === stream);
  }

  /** Takes note that an entry is finished; Redis hears of it together with others of this turn. */
  add(delivery: StreamDelivery): void {
    this.#settled.add(delivery);
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
   * Sends the last ones.
   *
   * @param deadlineMs Longest wait, in milliseconds.
   * @throws {EventError} `TRANSPORT_UNAVAILABLE` if Redis could not be told of all within the time.
   */
  async close(deadlineMs: number): Promise<void> {
    this.flush();
    await endsWithin(this.#options.clock, deadlineMs, this.#drained());
    this.#closed = true;
    const untold = this.#settled.size;
    if (untold === 0) return;
    throw new EventError(
      'TRANSPORT_UNAVAILABLE',
      `Redis could not be told that ${untold} messages are settled; they will come again`,
      { transport: redisTransport },
    );
  }

  async #drained(): Promise<void> {
    while (this.#flushing) await this.#flushing;
  }

  async #flush(): Promise<void> {
    const { clock, retryMs, failed, settling } = this.#options;
    const delay = new GrowingDelay({ firstMs: retryMs, maxMs: longestRetryMs });
    for (let refused: string | undefined; this.#settled.size > 0 && !this.#closed;) {
      try {
        refused = await this.#settle(this.#settled.list(), refused);
        delay.reset();
        settling.gotOn();
      } catch (error) {
        // What Redis has done already is done again without harm.
        failed(redisError(error, 'be told what is settled'), settling);
        await clock.sleep(delay.next());
      }
    }
  }

  /** @returns The version of the registry, if Redis has refused it. */
  async #settle(
    batch: readonly StreamDelivery[],
    refused: string | undefined,
  ): Promise<string | undefined> {
    const version = await this.#settled.judge(batch, refused);
    const streams = [...Map.groupBy(batch, ({ stream }) => stream)];
    const taken = await Promise.all(
      streams.map(([stream, deliveries]) => this.#settleAll(stream, deliveries, version)),
    );
    return taken.every(Boolean) ? undefined : version;
  }

  /**
   * Those whose claim cannot have lapsed go without a question; the others only if they are still ours.
   *
   * @returns False if the registry has another version.
   */
  async #settleAll(
    stream: string,
    deliveries: readonly StreamDelivery[],
    version: string | undefined,
  ): Promise<boolean> {
    const { fresh = [], doubtful = [] } = Object.groupBy(deliveries, (delivery) =>
      this.#options.isFresh(delivery) ? 'fresh' : 'doubtful',
    );
    const taken = await Promise.all([
      ...inParts(fresh, maxIds).map((part) => this.#acknowledge(stream, part, version)),
      ...inParts(doubtful, maxIds).map((part) => this.#settleOwned(stream, part, version)),
    ]);
    return taken.every(Boolean);
  }

  async #acknowledge(
    stream: string,
    part: readonly StreamDelivery[],
    version: string | undefined,
  ): Promise<boolean> {
    const { call, group, registryKey } = this.#options;
    const ids = part.map(({ entryId }) => entryId);
    if (version === undefined) await forgivingGroup(() => call('XACK', stream, group, ...ids));
    else if (!(await acknowledge.run(call, [stream, registryKey], [group, version, ...ids]))) {
      return false;
    }
    this.#settled.remove(part);
    return true;
  }

  async #settleOwned(
    stream: string,
    part: readonly StreamDelivery[],
    version: string | undefined,
  ): Promise<boolean> {
    const { call, group, consumer, onStale, registryKey } = this.#options;
    const args = part.flatMap(({ entryId, claimCount }) => [entryId, claimCount]);
    const keys = version === undefined ? [stream] : [stream, registryKey];
    const stale = await forgivingGroup(() =>
      settleOwned.run(call, keys, [group, consumer, version ?? '', ...args]),
    );
    if (stale === 'outdated') return false;
    this.#settled.remove(part);
    for (const delivery of part) if (stale?.includes(delivery.entryId)) onStale(delivery);
    return true;
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

/** Cuts a list into parts of so many items at most. */
export function inParts<T>(items: readonly T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, index) =>
    items.slice(index * most, (index + 1) * most),
  );
}
