import type { Clock } from '@waybill/core';
import { Wake } from '@waybill/core/adapter';

import { removeIdleConsumers } from './claim-scripts.ts';
import type { RedisCall } from './redis-script.ts';
import type { StreamGroup } from './stream-group.ts';
import type { StreamGate, StreamSource, StreamSources } from './stream-sources.ts';
import type { StreamTakeover } from './stream-takeover.ts';
import type { StreamTiming } from './stream-transport-options.ts';

export interface StreamUpkeepOptions {
  readonly group: StreamGroup;
  readonly consumer: string;
  readonly sources: StreamSources;
  readonly takeover: StreamTakeover;
  readonly call: RedisCall;
  readonly timing: StreamTiming;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Says whether the consumer has nothing in hand. */
  readonly isEmpty: () => boolean;
  /** Asks Redis something, so that a server that is away is noticed; never rejects. */
  readonly look: () => Promise<void>;
  /** Called when what may be read has changed. */
  readonly onChange: () => void;
}

/** How often to look again while a predecessor is waited for, in milliseconds. */
const gateEveryMs = 100;

/** What keeps a consumer and its group whole, beside reading on. */
export class StreamUpkeep {
  readonly #options: StreamUpkeepOptions;
  readonly #wake = new Wake();
  #whenEmpty: (() => void)[] = [];
  #isolating = false;
  #lacksRoom = false;
  #removedIdleAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: StreamUpkeepOptions) {
    this.#options = options;
  }

  /**
   * True while nothing may be read: a suspect runs alone, or the next room is for what lapsed. Else a
   * consumer that has always something to read would never have room for it.
   */
  get holdsReading(): boolean {
    return this.#isolating || this.#lacksRoom;
  }

  /** Has to be told whenever something was settled, and when the consumer closes. */
  roomChanged(): void {
    const { isEmpty, signal } = this.#options;
    this.#wake.call();
    if (!isEmpty() && !signal.aborted) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  /** One round of everything. */
  async round(): Promise<void> {
    const { group, sources, takeover, onChange } = this.#options;
    if (group.open) await this.#discover();
    let lacksRoom = false;
    for (const source of sources.all) {
      source.settledUpTo = await takeover.settledUpTo(source.stream);
      if (await this.#takeOver(source.stream)) lacksRoom = true;
      if (source.gate) await this.#tryGate(source, source.gate);
    }
    const goesOn = this.#lacksRoom && !lacksRoom;
    this.#lacksRoom = lacksRoom;
    if (goesOn) onChange();
    await this.#removeIdle();
  }

  /** The pause between two rounds. */
  async pause(): Promise<void> {
    const { clock, sources, timing, signal } = this.#options;
    const { reclaimEveryMs } = timing;
    const isGated = sources.all.some(({ gate }) => gate !== undefined);
    if (!isGated && !this.#lacksRoom) return await clock.sleep(reclaimEveryMs, signal);
    // Room means that more can be taken over, and a stream opens the sooner.
    const againMs = isGated ? Math.min(reclaimEveryMs, gateEveryMs) : reclaimEveryMs;
    const cancel = clock.schedule(againMs, () => this.#wake.call());
    await this.#wake.wait();
    cancel();
  }

  async #discover(): Promise<void> {
    const { group, sources } = this.#options;
    const unknown = (await group.allStreams()).filter((stream) => !sources.has(stream));
    if (unknown.length === 0) return;
    // What did not exist when this began is news from its first entry on.
    await group.join('earliest', unknown);
    for (const stream of unknown) sources.add(stream);
  }

  /** @returns True if there is more to be taken than there is room for. */
  async #takeOver(stream: string): Promise<boolean> {
    const { takeover, signal } = this.#options;
    while (!signal.aborted) {
      const left = await takeover.takeLapsed(stream);
      if (left !== 'suspect') return left === 'no-room';
      if (!(await this.#runAlone(stream))) return false;
    }
    return false;
  }

  /**
   * Lets everything in hand end, hands out one suspect, and waits for its end: if that kills the process, it
   * alone is to blame.
   *
   * @returns False if somebody else was quicker to take it.
   */
  async #runAlone(stream: string): Promise<boolean> {
    const { takeover, signal, onChange } = this.#options;
    this.#isolating = true;
    onChange();
    try {
      await this.#emptied();
      if (signal.aborted) return false;
      const taken = await takeover.takeSuspect(stream);
      await this.#emptied();
      return taken;
    } finally {
      this.#isolating = false;
      onChange();
    }
  }

  /** Waits until nothing is in hand, for two claims' time at most: a handler that hangs stops its own key alone. */
  async #emptied(): Promise<void> {
    const { clock, isEmpty, signal, timing, look } = this.#options;
    if (isEmpty() || signal.aborted) return;
    const waited = new AbortController();
    const cancel = clock.schedule(timing.claimMs * 2, () => waited.abort());
    this.#whenEmpty.push(() => waited.abort());
    while (!waited.signal.aborted) {
      await clock.sleep(timing.reclaimEveryMs, waited.signal);
      if (!waited.signal.aborted) void look();
    }
    cancel();
  }

  /**
   * Opens a stream for reading on when no other consumer can hold an older entry that we could still get: a
   * process that follows on one that died keeps the order of its keys.
   */
  async #tryGate(source: StreamSource, gate: StreamGate): Promise<void> {
    const { takeover, onChange } = this.#options;
    gate.upTo ??= await takeover.youngestPending(source.stream);
    const held = gate.upTo ? await takeover.heldByOthers(source.stream, gate.upTo) : 'nothing';
    if (held === 'lapsed') return;
    if (held === 'alive' && performance.now() < gate.aliveAtMs) return;
    source.gate = undefined;
    onChange();
  }

  async #removeIdle(): Promise<void> {
    const { call, group, consumer, sources, timing } = this.#options;
    if (performance.now() < this.#removedIdleAtMs + timing.claimMs) return;
    this.#removedIdleAtMs = performance.now();
    const args = [group.name, timing.forgetConsumerMs, consumer];
    for (const { stream } of sources.all) await removeIdleConsumers.run(call, [stream], args);
  }
}
