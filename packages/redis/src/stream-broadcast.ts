import { Outlet, runOutsideScope, Wake } from '@waybill/core/adapter';
import type { Clock, Observer } from '@waybill/core';
import type { Consumer, Deliver, Subscription } from '@waybill/core/adapter';

import { stampNow } from './claim-stamp.ts';
import { zeroId } from './entry-id.ts';
import { redisError } from './redis-errors.ts';
import type { RedisCall } from './redis-script.ts';
import { StreamDelivery } from './stream-delivery.ts';
import { readWhole, type EntryBytes } from './stream-entry.ts';
import { lastIdOf } from './stream-group.ts';
import type { StreamReader } from './stream-reader.ts';
import type { StreamTiming } from './stream-transport-options.ts';

export interface StreamBroadcastOptions {
  readonly subscription: Subscription;
  readonly deliver: Deliver;
  /** By stream, the entry behind which it begins. */
  readonly cursors: ReadonlyMap<string, string>;
  /** Finds further streams; absent where the subscription names all of its own. */
  readonly findStreams: (() => Promise<string[]>) | undefined;
  readonly reader: StreamReader;
  readonly bytes: EntryBytes;
  readonly timing: StreamTiming;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly onClose: () => void;
}

const maxCount = 500;

/** A subscription without a group: reads what is appended from now on, with cursors in memory. */
export class StreamBroadcast implements Consumer {
  readonly finished: Promise<void>;
  readonly #options: StreamBroadcastOptions;
  readonly #outlet: Outlet<StreamDelivery>;
  readonly #wake = new Wake();
  readonly #closing = new AbortController();
  readonly #cursors: Map<string, string>;
  #cancelDiscovery: (() => void) | undefined;

  constructor(options: StreamBroadcastOptions) {
    const { subscription, deliver } = options;
    this.#options = options;
    this.#cursors = new Map(options.cursors);
    this.#outlet = new Outlet({
      deliver,
      maxInFlight: subscription.maxInFlight,
      onRoom: () => this.#wake.call(),
    });
    this.finished = runOutsideScope(() => this.#run()).finally(() => {
      this.#cancelDiscovery?.();
      options.reader.close();
      options.onClose();
    });
    this.finished.catch(() => {});
  }

  pause(): void {
    this.#outlet.pause();
  }

  resume(): void {
    this.#outlet.resume();
  }

  setMaxInFlight(maxInFlight: number): void {
    this.#outlet.setMaxInFlight(maxInFlight);
  }

  async close(): Promise<void> {
    const { reader, clock, timing } = this.#options;
    this.#closing.abort();
    this.#outlet.clear();
    this.#wake.call();
    reader.interrupt();
    const cancel = clock.schedule(timing.timeoutMs, () => reader.close());
    await this.finished.catch(() => {});
    cancel();
  }

  async #run(): Promise<void> {
    const { clock, observe, timing } = this.#options;
    const { signal } = this.#closing;
    this.#scheduleDiscovery();
    while (!signal.aborted) {
      try {
        this.#outlet.handOut();
        if (this.#outlet.room === 0 || this.#cursors.size === 0) await this.#wake.wait();
        else await this.#read();
      } catch (error) {
        if (signal.aborted) return;
        const failed = redisError(error, 'read for a broadcast subscription');
        observe({ kind: 'consume-failed', group: '', error: failed });
        if (!failed.retryable) throw failed;
        await clock.sleep(timing.retryMs, signal);
      }
    }
  }

  async #read(): Promise<void> {
    const { reader, bytes } = this.#options;
    const count = Math.min(this.#outlet.room, maxCount);
    const streams = [...this.#cursors.keys(), ...this.#cursors.values()];
    const found = await reader.read('XREAD', { before: ['COUNT', count], streams });
    const claimedAt = stampNow();
    for (const [stream, entries] of found) {
      const whole = entries.map(([id, fields]): [string, readonly string[]] => [id, fields ?? []]);
      const messages = await readWhole(stream, whole, bytes);
      if (this.#closing.signal.aborted) return;
      this.#cursors.set(stream, entries.at(-1)![0]);
      this.#outlet.add(
        messages.map(
          (message, index) =>
            new StreamDelivery({
              message,
              stream,
              entryId: entries[index]![0],
              mayBeRepeated: false,
              deliveryCount: 1,
              claimedAt,
              settle: (delivery) => void this.#outlet.settle(delivery),
            }),
        ),
      );
    }
  }

  #scheduleDiscovery(): void {
    const { findStreams, clock, timing, observe } = this.#options;
    if (!findStreams) return;
    this.#cancelDiscovery = clock.schedule(timing.reclaimEveryMs, () => {
      findStreams()
        .then((streams) => this.#addNew(streams))
        .catch((error: unknown) => observe({ kind: 'consume-failed', group: '', error }))
        .finally(() => this.#closing.signal.aborted || this.#scheduleDiscovery());
    });
  }

  /** What did not exist when this began is news from its first entry on. */
  #addNew(streams: readonly string[]): void {
    const unknown = streams.filter((stream) => !this.#cursors.has(stream));
    if (unknown.length === 0) return;
    for (const stream of unknown) this.#cursors.set(stream, zeroId);
    this.#wake.call();
    this.#options.reader.interrupt();
  }
}

/** Where a broadcast subscription begins: behind what is there now. */
export async function cursorsOf(
  call: RedisCall,
  streams: readonly string[],
): Promise<Map<string, string>> {
  const last = await Promise.all(streams.map((stream) => lastIdOf(call, stream)));
  return new Map(streams.map((stream, index) => [stream, last[index]!]));
}
