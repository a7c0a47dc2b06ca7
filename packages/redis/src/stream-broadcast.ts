import { ConsumerShell } from '@waybill/core/adapter';
import type { Clock, Observer } from '@waybill/core';
import type { Deliver, Subscription, TroubleSource } from '@waybill/core/adapter';

import { stampNow } from './claim-stamp.ts';
import { zeroId } from './entry-id.ts';
import { redisError } from './redis-errors.ts';
import type { RedisCall } from './redis-script.ts';
import { redisTransport, StreamDelivery } from './stream-delivery.ts';
import { readWhole, type EntryBytes } from './stream-entry.ts';
import { lastIdOf } from './stream-group.ts';
import type { StreamReader } from './stream-reader.ts';
import type { StreamTiming } from './stream-transport-options.ts';

export interface StreamBroadcastOptions {
  readonly subscription: Subscription;
  readonly deliver: Deliver;
  /** By stream, the entry behind which it begins. */
  readonly cursors: ReadonlyMap<string, string>;
  /** True if it takes every stream, also one that does not exist yet. */
  readonly open: boolean;
  /** Finds all streams there are. */
  readonly findStreams: () => Promise<string[]>;
  readonly reader: StreamReader;
  readonly bytes: EntryBytes;
  readonly timing: StreamTiming;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly onClose: () => void;
}

const maxCount = 500;

/** A subscription without a group: reads what is appended from now on, with cursors in memory. */
export class StreamBroadcast extends ConsumerShell<StreamDelivery> {
  readonly #options: StreamBroadcastOptions;
  readonly #reading: TroubleSource = this.source();
  readonly #looking: TroubleSource = this.source();
  readonly #cursors: Map<string, string>;

  constructor(options: StreamBroadcastOptions) {
    super({ ...options, transport: redisTransport, retryMs: options.timing.retryMs });
    this.#options = options;
    this.#cursors = new Map(options.cursors);
    this.start();
  }

  protected override async run(): Promise<void> {
    const { reader, onClose } = this.#options;
    const looking = this.#look();
    try {
      await this.repeat({ source: this.#reading, work: () => this.#readOn() });
    } finally {
      this.stop();
      await looking;
      reader.close();
      onClose();
    }
  }

  protected override async end(): Promise<void> {
    const { reader, clock, timing } = this.#options;
    this.outlet.clear();
    reader.interrupt();
    const cancel = clock.schedule(timing.timeoutMs, () => reader.close());
    await this.finished.catch(() => {});
    cancel();
  }

  protected override explain(thrown: unknown): unknown {
    return redisError(thrown, 'read for a broadcast subscription');
  }

  async #readOn(): Promise<'again' | 'wait'> {
    this.outlet.handOut();
    if (this.outlet.room === 0 || this.#cursors.size === 0) return 'wait';
    await this.#read();
    return 'again';
  }

  /** Looks for further streams, and so whether Redis is there, also while nothing is read. */
  async #look(): Promise<void> {
    const { open, findStreams, clock, timing } = this.#options;
    await this.repeat({
      source: this.#looking,
      wait: () => clock.sleep(timing.reclaimEveryMs, this.closing),
      passes: () => true,
      work: async () => {
        const streams = await findStreams();
        if (open && !this.closing.aborted) this.#addNew(streams);
        return 'wait';
      },
    });
  }

  async #read(): Promise<void> {
    const { reader, bytes } = this.#options;
    const count = Math.min(this.outlet.room, maxCount);
    const streams = [...this.#cursors.keys(), ...this.#cursors.values()];
    const found = await reader.read('XREAD', { before: ['COUNT', count], streams });
    const claimedAt = stampNow();
    for (const [stream, entries] of found) {
      const whole = entries.map(([id, fields]): [string, readonly string[]] => [id, fields ?? []]);
      const messages = await readWhole(stream, whole, bytes);
      if (this.closing.aborted) return;
      this.#cursors.set(stream, entries.at(-1)![0]);
      this.outlet.add(
        messages.map(
          (message, index) =>
            new StreamDelivery({
              message,
              stream,
              entryId: entries[index]![0],
              mayBeRepeated: false,
              deliveryCount: 1,
              claimedAt,
              settle: (delivery) => void this.outlet.settle(delivery),
            }),
        ),
      );
    }
  }

  /** What did not exist when this began is news from its first entry on. */
  #addNew(streams: readonly string[]): void {
    const unknown = streams.filter((stream) => !this.#cursors.has(stream));
    if (unknown.length === 0) return;
    for (const stream of unknown) this.#cursors.set(stream, zeroId);
    this.wake.call();
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
