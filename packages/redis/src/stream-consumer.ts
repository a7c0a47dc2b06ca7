import { isEventError, Outlet, runOutsideScope, Wake } from '@waybill/core';
import type { Clock, Consumer, Deliver, Observer, Subscription } from '@waybill/core';

import { removeIdleConsumers, releaseAll, type TakenEntry } from './claim-scripts.ts';
import { stampNow, type ClaimStamp } from './claim-stamp.ts';
import { laterId, zeroId } from './entry-id.ts';
import { redisError, replyCodeOf } from './redis-errors.ts';
import type { RedisCall } from './redis-script.ts';
import { StreamClaims } from './stream-claims.ts';
import { StreamDelivery } from './stream-delivery.ts';
import { readWhole, type EntryBytes } from './stream-entry.ts';
import { reportLoss, type StreamGroup } from './stream-group.ts';
import type { ReadEntries, StreamReader } from './stream-reader.ts';
import { StreamTakeover } from './stream-takeover.ts';
import type { StreamTiming } from './stream-transport-options.ts';

export interface StreamConsumerOptions {
  readonly group: StreamGroup;
  readonly subscription: Subscription;
  readonly deliver: Deliver;
  /** Streams on which the group exists. */
  readonly streams: readonly string[];
  /** True if the subscription takes streams that are not known yet. */
  readonly open: boolean;
  readonly reader: StreamReader;
  readonly call: RedisCall;
  readonly bytes: EntryBytes;
  readonly timing: StreamTiming;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly onClose: () => void;
}

/** What is known of one stream. */
interface Source {
  /** The youngest entry that was read from it. */
  lastRead: string;
  /** Set while predecessors may still hold older entries of keys that we would read on with. */
  gate: { upTo: string | undefined; readonly openAtMs: number } | undefined;
}

const longestRetryMs = 5_000;
const maxCount = 500;
/** About the most that one read may bring, in UTF-16 units. */
const maxReadSize = 8 * 1024 * 1024;

/** A subscription of a group: one consumer of it on each of its streams. */
export class StreamConsumer implements Consumer {
  readonly finished: Promise<void>;
  readonly #options: StreamConsumerOptions;
  readonly #outlet: Outlet<StreamDelivery>;
  readonly #claims: StreamClaims;
  readonly #takeover: StreamTakeover;
  readonly #sources = new Map<string, Source>();
  readonly #closing = new AbortController();
  readonly #wakeReader = new Wake();
  readonly #wakeUpkeep = new Wake();
  readonly #lost = new WeakSet<StreamDelivery>();
  /** Resolvers of whoever waits until nothing is in hand. */
  #whenEmpty: (() => void)[] = [];
  /** True while one suspect runs alone. */
  #isolating = false;
  /** True if the last answer may have got lost with entries in it. */
  #mustRecover = false;
  /** Streams that had something the last time, and how large entries were on average. */
  #busyStreams = 1;
  #entrySize = 1;
  #removedIdleAtMs = 0;
  #closed: Promise<void> | undefined;

  constructor(options: StreamConsumerOptions) {
    const { group, subscription, deliver, call, clock, observe, timing } = options;
    const { worker: consumer, maxInFlight } = subscription;
    const { claimMs, retryMs } = timing;
    this.#options = options;
    this.#outlet = new Outlet({ deliver, maxInFlight, onRoom: () => this.#onRoom() });
    this.#claims = new StreamClaims({
      group: group.name,
      consumer,
      claimMs,
      retryMs,
      call,
      clock,
      observe,
      onLost: (delivery) => {
        this.#lost.add(delivery);
        this.#outlet.drop(delivery);
      },
    });
    this.#takeover = new StreamTakeover({
      group: group.name,
      consumer,
      claimMs,
      call,
      observe,
      room: () => this.#outlet.room,
      accept: (stream, entries, claimedAt) => this.#acceptTaken(stream, entries, claimedAt),
    });
    for (const stream of options.streams) this.#addSource(stream);
    this.finished = runOutsideScope(() => this.#run());
    // Whoever does not wait for the end need not hear of a bad one either.
    this.finished.catch(() => {});
  }

  pause(): void {
    this.#outlet.pause();
    this.#options.reader.interrupt();
  }

  resume(): void {
    this.#outlet.resume();
  }

  setMaxInFlight(maxInFlight: number): void {
    this.#outlet.setMaxInFlight(maxInFlight);
  }

  close(): Promise<void> {
    this.#closed ??= runOutsideScope(() => this.#close());
    return this.#closed;
  }

  /** Says whether what was read of each stream is still in it; called when Redis was away. */
  async checkLoss(): Promise<void> {
    const { call, observe, group } = this.#options;
    for (const [stream, source] of this.#sources) {
      const place = { stream, group: group.name, known: source.lastRead };
      if (await reportLoss(call, observe, place)) source.lastRead = zeroId;
    }
  }

  async #close(): Promise<void> {
    const { reader, clock, timing, onClose } = this.#options;
    this.#closing.abort();
    reader.interrupt();
    this.#onRoom();
    // A server that does not answer must not keep us for longer than any other call would.
    const cancel = clock.schedule(timing.timeoutMs, () => reader.close());
    await this.finished.catch(() => {});
    cancel();
    reader.close();
    const unused = this.#outlet.clear();
    try {
      await this.#claims.close(timing.timeoutMs);
    } finally {
      await this.#release(unused);
      onClose();
    }
  }

  async #run(): Promise<void> {
    this.#claims.start();
    const upkeep = this.#upkeep();
    try {
      await Promise.all([this.#readOn(), upkeep]);
    } finally {
      this.#closing.abort();
      this.#onRoom();
      await upkeep.catch(() => {});
    }
  }

  async #readOn(): Promise<void> {
    await this.#again(async () => {
      if (this.#mustRecover) await this.#recover();
      this.#outlet.handOut();
      if (!this.#mayRead()) return await this.#wakeReader.wait();
      // Whatever settles in this turn makes room for this read, and is told to Redis together with it.
      await new Promise((resolve) => setImmediate(resolve));
      this.#claims.flush();
      if (!this.#mayRead()) return;
      await this.#read();
    });
  }

  /** Repeats something until the consumer closes, slower and slower while it fails. */
  async #again(work: () => Promise<void>): Promise<void> {
    const { clock, observe, group, timing } = this.#options;
    const { signal } = this.#closing;
    let delayMs = timing.retryMs;
    while (!signal.aborted) {
      try {
        await work();
        delayMs = timing.retryMs;
      } catch (error) {
        if (signal.aborted) return;
        const failed = redisError(error, `read for group ${group.name}`);
        observe({ kind: 'consume-failed', group: group.name, error: failed });
        const isGone = ['NOGROUP', 'UNBLOCKED'].includes(replyCodeOf(error));
        if (!isGone && !failed.retryable) throw failed;
        if (isGone) await this.#heal();
        this.#mustRecover = true;
        await clock.sleep(delayMs, signal);
        delayMs = Math.min(delayMs * 2, longestRetryMs);
      }
    }
  }

  /** Open streams, as long as there is room for what they bring. */
  #readable(): [string, Source][] {
    if (this.#isolating || this.#outlet.room === 0) return [];
    return [...this.#sources].filter(([, { gate }]) => gate === undefined);
  }

  #mayRead(): boolean {
    return this.#readable().length > 0;
  }

  async #read(): Promise<void> {
    const { reader, subscription, group } = this.#options;
    const names = this.#readable().map(([name]) => name);
    // COUNT is for each stream. What comes beyond the room waits in the outlet.
    const wanted = Math.floor(this.#outlet.room / this.#busyStreams);
    const bearable = Math.floor(maxReadSize / this.#entrySize / names.length);
    const count = Math.max(1, Math.min(wanted, bearable, maxCount));
    const claimedAt = stampNow();
    const before = ['GROUP', group.name, subscription.worker, 'COUNT', count];
    const streams = [...names, ...names.map(() => '>')];
    const found = await reader.read('XREADGROUP', { before, streams });
    await this.#acceptRead(found, claimedAt);
  }

  async #acceptRead(found: ReadEntries, claimedAt: ClaimStamp): Promise<void> {
    let size = 0;
    let count = 0;
    for (const [stream, entries] of found) {
      const taken = entries.map(([id, fields]): TakenEntry => [id, 1, '', 0, fields ?? []]);
      const deliveries = await this.#deliveriesOf(stream, taken, claimedAt);
      const source = this.#sources.get(stream)!;
      source.lastRead = laterId(entries.at(-1)![0], source.lastRead);
      for (const { message } of deliveries) size += message.body.length;
      count += deliveries.length;
      this.#add(deliveries);
    }
    if (count === 0) return;
    this.#busyStreams = found.length;
    this.#entrySize = Math.max(1, size / count);
  }

  async #acceptTaken(
    stream: string,
    entries: readonly TakenEntry[],
    claimedAt: ClaimStamp,
  ): Promise<void> {
    this.#add(await this.#deliveriesOf(stream, entries, claimedAt));
  }

  #add(deliveries: readonly StreamDelivery[]): void {
    this.#outlet.add(this.#claims.add(deliveries));
    if (!this.#closing.signal.aborted) this.#outlet.handOut();
  }

  async #deliveriesOf(
    stream: string,
    entries: readonly TakenEntry[],
    claimedAt: ClaimStamp,
  ): Promise<StreamDelivery[]> {
    const settle = (delivery: StreamDelivery): void => this.#settle(delivery);
    const messages = await readWhole(stream, entries, this.#options.bytes);
    return entries.map(
      ([entryId, deliveryCount], index) =>
        new StreamDelivery({
          message: messages[index]!,
          stream,
          entryId,
          deliveryCount,
          claimedAt,
          settle,
        }),
    );
  }

  #settle(delivery: StreamDelivery): void {
    if (this.#outlet.settle(delivery)) this.#claims.settle(delivery);
    else if (this.#lost.delete(delivery)) this.#claims.reportStale('settle', delivery);
  }

  #onRoom(): void {
    this.#wakeReader.call();
    this.#wakeUpkeep.call();
    if (this.#outlet.isEmpty || this.#closing.signal.aborted) {
      for (const resolve of this.#whenEmpty.splice(0)) resolve();
    }
  }

  /** Whatever keeps a group whole beside reading on, from the first moment to the last. */
  async #upkeep(): Promise<void> {
    const { clock, timing, open } = this.#options;
    await this.#again(async () => {
      if (open) await this.#discover();
      for (const [stream, source] of this.#sources) {
        await this.#takeOver(stream);
        if (source.gate) await this.#tryGate(stream, source, source.gate);
      }
      await this.#removeIdle();
      const isGated = [...this.#sources.values()].some(({ gate }) => gate);
      const waitMs = isGated ? Math.min(timing.reclaimEveryMs, 100) : timing.reclaimEveryMs;
      // While it is gated, room means that more can be taken over; else nobody needs to hurry.
      if (!isGated) return await clock.sleep(waitMs, this.#closing.signal);
      const cancel = clock.schedule(waitMs, () => this.#wakeUpkeep.call());
      await this.#wakeUpkeep.wait();
      cancel();
    });
  }

  async #takeOver(stream: string): Promise<void> {
    while (!this.#closing.signal.aborted && (await this.#takeover.takeLapsed(stream))) {
      if (!(await this.#runAlone(stream))) return;
    }
  }

  /**
   * Lets everything in hand end, hands out one suspect, and waits for its end: if it kills the process, then
   * itself alone is to blame.
   *
   * @returns False if somebody else was quicker to take it.
   */
  async #runAlone(stream: string): Promise<boolean> {
    this.#isolating = true;
    this.#options.reader.interrupt();
    try {
      await this.#emptied();
      if (this.#closing.signal.aborted) return false;
      const taken = await this.#takeover.takeSuspect(stream);
      await this.#emptied();
      return taken;
    } finally {
      this.#isolating = false;
      this.#wakeReader.call();
    }
  }

  async #emptied(): Promise<void> {
    if (this.#outlet.isEmpty || this.#closing.signal.aborted) return;
    await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Opens a stream for reading on when no predecessor can hold an older entry that we could still get. */
  async #tryGate(stream: string, source: Source, gate: NonNullable<Source['gate']>): Promise<void> {
    gate.upTo ??= await this.#takeover.youngestPending(stream);
    const held = gate.upTo ? await this.#takeover.heldByOthers(stream, gate.upTo) : 0;
    if (held === 2 || (held === 1 && performance.now() < gate.openAtMs)) return;
    source.gate = undefined;
    this.#options.reader.interrupt();
    this.#wakeReader.call();
  }

  async #discover(): Promise<void> {
    // What did not exist when this began is news from its first entry on.
    const { streams } = await this.#options.group.join('earliest', [], true);
    for (const stream of streams) if (!this.#sources.has(stream)) this.#addSource(stream);
  }

  #addSource(stream: string): void {
    const openAtMs = performance.now() + this.#options.timing.claimMs;
    this.#sources.set(stream, { lastRead: zeroId, gate: { upTo: undefined, openAtMs } });
  }

  async #removeIdle(): Promise<void> {
    const { call, group, timing } = this.#options;
    if (performance.now() < this.#removedIdleAtMs + timing.claimMs) return;
    this.#removedIdleAtMs = performance.now();
    for (const stream of this.#sources.keys()) {
      await removeIdleConsumers.run(call, [stream], [group.name, timing.forgetConsumerMs]);
    }
  }

  /** Gets what Redis has given us in an answer that never came, before anything younger. */
  async #recover(): Promise<void> {
    for (const stream of this.#sources.keys()) {
      await this.#takeover.recover(stream, (id) => this.#claims.knows(stream, id));
    }
    this.#mustRecover = false;
  }

  async #heal(): Promise<void> {
    const { group } = this.#options;
    for (const [stream, source] of this.#sources) {
      try {
        const oldestHeld = this.#claims.oldestHeld(stream);
        const isLost = await group.heal(stream, { oldestHeld, lastRead: source.lastRead });
        if (isLost) source.lastRead = zeroId;
      } catch (error) {
        // The next try to read says what is wrong.
        if (!isEventError(error) && replyCodeOf(error) === '') return;
      }
    }
  }

  /** Hands back whatever is pending for us; if it cannot be told now, others take it when the claims lapse. */
  async #release(unused: readonly StreamDelivery[]): Promise<void> {
    const { call, group, subscription, observe } = this.#options;
    for (const stream of this.#sources.keys()) {
      const ids = unused.filter((each) => each.stream === stream).map(({ entryId }) => entryId);
      try {
        await releaseAll.run(call, [stream], [group.name, subscription.worker, ...ids]);
      } catch (error) {
        if (replyCodeOf(error) === 'NOGROUP') continue;
        observe({ kind: 'consume-failed', group: group.name, error });
      }
    }
  }
}
