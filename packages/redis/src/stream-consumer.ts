import { ConsumerShell } from '@waybill/core/adapter';
import type { Clock, Observer } from '@waybill/core';
import type { Deliver, Subscription, TroubleSource } from '@waybill/core/adapter';

import type { TakenEntry } from './claim-scripts.ts';
import { stampNow, type ClaimStamp } from './claim-stamp.ts';
import { ReadSize } from './read-size.ts';
import { redisError, replyCodeOf } from './redis-errors.ts';
import type { RedisCall } from './redis-script.ts';
import { StreamClaims } from './stream-claims.ts';
import { redisTransport, StreamDelivery } from './stream-delivery.ts';
import { readWhole, sizeOf, type EntryBytes } from './stream-entry.ts';
import { reportLoss, type StreamGroup } from './stream-group.ts';
import type { ReadEntries, StreamReader } from './stream-reader.ts';
import { StreamRepeats } from './stream-repeats.ts';
import { StreamSources } from './stream-sources.ts';
import { StreamTakeover } from './stream-takeover.ts';
import type { StreamTiming } from './stream-transport-options.ts';
import { StreamUpkeep } from './stream-upkeep.ts';

export interface StreamConsumerOptions {
  readonly group: StreamGroup;
  readonly subscription: Subscription;
  readonly deliver: Deliver;
  /** Streams on which the group exists. */
  readonly streams: readonly string[];
  readonly reader: StreamReader;
  readonly call: RedisCall;
  readonly bytes: EntryBytes;
  readonly timing: StreamTiming;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly onClose: () => void;
}

/** A subscription of a group: reads on, hands out, and settles, while `StreamUpkeep` looks after the rest. */
export class StreamConsumer extends ConsumerShell<StreamDelivery> {
  readonly #options: StreamConsumerOptions;
  readonly #sources: StreamSources;
  readonly #claims: StreamClaims;
  readonly #takeover: StreamTakeover;
  readonly #upkeep: StreamUpkeep;
  readonly #reading: TroubleSource = this.source();
  readonly #keeping: TroubleSource = this.source();
  /** Taken by others while they were in hand. */
  readonly #lost = new WeakSet<StreamDelivery>();
  readonly #readSize: ReadSize;
  readonly #repeats: StreamRepeats;
  #handedBack: Promise<void> | undefined;
  #handOutScheduled = false;
  /** True while there is more than a read brings at once. */
  #isBehind = false;
  /** True if the last answer may have got lost with entries in it. */
  #mustRecover = false;

  constructor(options: StreamConsumerOptions) {
    const { group, subscription, call, clock, observe, timing } = options;
    super({ ...options, transport: redisTransport, retryMs: timing.retryMs });
    const { worker: consumer, maxInFlight, judgement } = subscription;
    const { claimMs } = timing;
    const { name, registryKey } = group;
    const shared = { group: name, registryKey, judgement, consumer, claimMs, call, observe };
    this.#options = options;
    this.#readSize = new ReadSize(maxInFlight);
    this.#sources = new StreamSources(claimMs, options.streams);
    this.#repeats = new StreamRepeats(call, this.#sources);
    options.reader.onReconnect(() => this.#repeats.doubt());
    this.#claims = new StreamClaims({
      ...shared,
      ...timing,
      clock,
      onLost: (delivery) => {
        this.#lost.add(delivery);
        this.outlet.drop(delivery);
      },
      failed: (error, source) => this.failed(error, source),
      settling: this.source(),
      beating: this.source(),
    });
    this.#takeover = new StreamTakeover({
      ...shared,
      onForgotten: () => {
        this.#mustRecover = true;
        options.reader.interrupt();
        this.wake.call();
      },
      room: () => this.outlet.room,
      accept: async (stream, entries, claimedAt) => {
        await this.#accept(stream, entries, claimedAt);
        this.#handOut();
      },
    });
    this.#upkeep = new StreamUpkeep({
      group,
      consumer,
      sources: this.#sources,
      takeover: this.#takeover,
      call,
      timing,
      clock,
      signal: this.closing,
      isEmpty: () => this.outlet.isEmpty,
      look: () => this.#look(),
      onChange: () => {
        options.reader.interrupt();
        this.wake.call();
      },
    });
    this.start();
  }

  override pause(): void {
    super.pause();
    this.#options.reader.interrupt();
  }

  override setMaxInFlight(maxInFlight: number): void {
    this.#readSize.maxInFlight = maxInFlight;
    super.setMaxInFlight(maxInFlight);
  }

  /** Says whether what was read of each stream is still in it; called when Redis was away. */
  async checkLoss(): Promise<void> {
    const { call, observe, group } = this.#options;
    this.#repeats.doubt();
    for (const source of this.#sources.all) {
      const place = { stream: source.stream, group: group.name, known: source.lastRead };
      if (await reportLoss(call, observe, place)) this.#sources.beginAnew(source);
    }
  }

  protected override async end(): Promise<void> {
    const { reader, clock, timing } = this.#options;
    reader.interrupt();
    this.onRoom();
    // A server that does not answer must not keep us for longer than any other call would.
    const cancel = clock.schedule(timing.timeoutMs, () => reader.close());
    await this.finished.catch(() => {});
    cancel();
    await this.#handBack();
  }

  protected override async run(): Promise<void> {
    this.#claims.start();
    const afterFailure = (thrown: unknown): Promise<void> => this.#mend(thrown);
    const upkeep = this.repeat({
      source: this.#keeping,
      work: () => this.#upkeep.round().then(() => 'wait'),
      wait: () => this.#upkeep.pause(),
      afterFailure,
    });
    const reading = { source: this.#reading, work: () => this.#readOn(), afterFailure };
    try {
      await Promise.all([this.repeat(reading), upkeep]);
    } catch (error) {
      this.stop();
      this.onRoom();
      await upkeep.catch(() => {});
      // With signs of life nobody else would ever get it.
      await this.#handBack().catch(() => {});
      throw error;
    }
  }

  /** Gives up what is in hand, for others to take. Calls after the first wait for that one. */
  #handBack(): Promise<void> {
    const { reader, onClose, timing } = this.#options;
    reader.close();
    this.#handedBack ??= this.#claims
      .end(this.#sources.all, this.outlet.clear(), timing.timeoutMs)
      .finally(onClose);
    return this.#handedBack;
  }

  protected override explain(thrown: unknown): unknown {
    return redisError(thrown, `read for group ${this.group}`);
  }

  protected override onRoom(): void {
    super.onRoom();
    this.#upkeep.roomChanged();
    if (this.#handOutScheduled) return;
    // Not at once: whoever has just settled is not done yet.
    this.#handOutScheduled = true;
    setImmediate(() => {
      this.#handOutScheduled = false;
      this.#handOut();
    });
  }

  async #mend(thrown: unknown): Promise<void> {
    this.#mustRecover = true;
    this.#repeats.doubt();
    if (['NOGROUP', 'UNBLOCKED'].includes(replyCodeOf(thrown))) await this.#heal();
  }

  /** Asks something only to see whether Redis answers. */
  async #look(): Promise<void> {
    try {
      await this.#options.group.allStreams();
      this.#keeping.gotOn();
    } catch (error) {
      this.failed(this.explain(error), this.#keeping);
    }
  }

  async #readOn(): Promise<'again' | 'wait'> {
    await this.#repeats.look();
    if (this.#mustRecover) await this.#recover();
    if (!this.#mayRead()) {
      this.#handOut();
      return 'wait';
    }
    // Whatever settles in this turn makes room for this read, and is told to Redis together with it.
    if (!this.#isBehind) await new Promise((resolve) => setImmediate(resolve));
    this.#claims.flush();
    if (this.#mayRead()) await this.#read();
    return 'again';
  }

  #mayRead(): boolean {
    if (this.#upkeep.holdsReading || this.outlet.room === 0) return false;
    return this.#sources.readable.length > 0;
  }

  async #read(): Promise<void> {
    const { reader, subscription, group } = this.#options;
    const names = this.#sources.readable;
    const count = this.#readSize.count(this.outlet.room, names.length);
    const before = ['GROUP', group.name, subscription.worker, 'COUNT', count];
    const claimedAt = stampNow();
    const streams = [...names, ...names.map(() => '>')];
    const reading = reader.read('XREADGROUP', { before, streams });
    // While Redis looks for more, what it has found last is handled.
    this.#handOut();
    const found = await reading;
    if (found.length > 0) await this.#acceptRead(found, claimedAt);
    this.#isBehind = found.some(([, entries]) => entries.length === count);
    if (!this.#isBehind) this.#handOut();
  }

  #handOut(): void {
    if (!this.closing.aborted) this.outlet.handOut();
  }

  async #acceptRead(found: ReadEntries, claimedAt: ClaimStamp): Promise<void> {
    let size = 0;
    let count = 0;
    for (const [stream, entries] of found) {
      const taken = entries.map(([id, fields]): TakenEntry => [id, 1, '', 0, fields ?? []]);
      const deliveries = await this.#accept(stream, taken, claimedAt);
      this.#sources.noteRead(stream, entries.at(-1)![0]);
      for (const { message } of deliveries) size += sizeOf(message);
      count += deliveries.length;
    }
    this.#readSize.note({ streams: found.length, entries: count, size });
  }

  async #accept(
    stream: string,
    entries: readonly TakenEntry[],
    claimedAt: ClaimStamp,
  ): Promise<readonly StreamDelivery[]> {
    const repeated = await this.#repeats.among(stream, entries);
    const messages = await readWhole(stream, entries, this.#options.bytes);
    const settle = (delivery: StreamDelivery): void => this.#settle(delivery);
    const deliveries = entries.map(([entryId, deliveryCount], index) => {
      const read = { message: messages[index]!, mayBeRepeated: repeated[index]!, deliveryCount };
      return new StreamDelivery({ ...read, stream, entryId, claimedAt, settle });
    });
    this.outlet.add(this.#claims.add(deliveries));
    return deliveries;
  }

  #settle(delivery: StreamDelivery): void {
    if (this.outlet.settle(delivery)) this.#claims.settle(delivery);
    else if (this.#lost.delete(delivery)) this.#claims.reportStale('settle', delivery);
  }

  /** Gets what Redis has given us in an answer that never came, before anything younger. */
  async #recover(): Promise<void> {
    for (const { stream } of this.#sources.all) {
      await this.#takeover.recover(stream, (id) => this.#claims.knows(stream, id));
    }
    this.#mustRecover = false;
  }

  async #heal(): Promise<void> {
    const { group, observe } = this.#options;
    for (const source of this.#sources.all) {
      try {
        if (await group.heal(source)) this.#sources.beginAnew(source);
      } catch (error) {
        // The next try to read finds the group missing still.
        observe({ kind: 'consume-failed', group: group.name, error });
        return;
      }
    }
  }
}
