import { systemClock, type Clock } from './clock.ts';
import { runOutsideScope } from './handler-scope.ts';
import { observeAll, type Observer } from './observer.ts';
import type { Outbox } from './outbox.ts';
import { assertRange } from './options.ts';
import type { Message } from './transport.ts';

export interface OutboxRelayOptions {
  outbox: Outbox;
  /** Hands messages to the transport; resolves when the broker has them. */
  publish: (messages: readonly Message[]) => Promise<unknown>;
  /** How often to look for messages that nobody announced, in milliseconds; 100 unless given. */
  pollMs?: number;
  /** Most messages published at once, 1 to 10,000; 500 unless given. */
  batchSize?: number;
  clock?: Clock;
  observer?: Observer;
}

/** Longest pause after a failed publish. */
const maxBackoffMs = 5_000;

/**
 * Moves committed messages from the outbox to the transport, in order per partition.
 *
 * Relays may run in any number of processes; each partition is worked on by one of them at a time. A
 * relay that dies between publishing and forgetting leaves repeats, with the same ids.
 */
export class OutboxRelay {
  readonly #outbox: Outbox;
  readonly #publish: (messages: readonly Message[]) => Promise<unknown>;
  readonly #pollMs: number;
  readonly #batchSize: number;
  readonly #clock: Clock;
  readonly #observe: Observer;
  readonly #announced = new Set<number>();
  readonly #stop = new AbortController();
  #wake = new AbortController();
  #running: Promise<void> | undefined;
  #endListening: (() => Promise<void>) | undefined;
  #lastError: unknown;

  /** @throws {TypeError} If an option is out of range. */
  constructor(options: OutboxRelayOptions) {
    const { pollMs = 100, batchSize = 500 } = options;
    assertRange('relay', 'pollMs', pollMs, 1, 3_600_000);
    assertRange('relay', 'batchSize', batchSize, 1, 10_000, true);
    this.#outbox = options.outbox;
    this.#publish = options.publish;
    this.#pollMs = pollMs;
    this.#batchSize = batchSize;
    this.#clock = options.clock ?? systemClock;
    this.#observe = observeAll(options.observer ? [options.observer] : []);
  }

  /** What stopped the last pass; `undefined` while all goes well. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Begins to relay, in the background. Idempotent. */
  start(): void {
    if (this.#running || this.#stop.signal.aborted) return;
    this.#running = runOutsideScope(() => this.#run());
  }

  /** Says that a commit has put messages into these partitions; they are published at once. */
  nudge(partitions: Iterable<number>): void {
    for (const partition of partitions) this.#announced.add(partition);
    this.#wake.abort();
  }

  /** Finishes the pass under way and ends. What is left waits for another relay. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
    await this.#endListening?.().catch(() => undefined);
  }

  async #run(): Promise<void> {
    this.#endListening = await this.#outbox
      .listen?.(() => this.#wake.abort())
      .catch(() => undefined);
    let backoffMs = 0;
    while (!this.#stop.signal.aborted) {
      const more = await this.#pass().then(
        (found) => {
          backoffMs = 0;
          this.#lastError = undefined;
          return found;
        },
        (error: unknown) => {
          backoffMs = Math.min(Math.max(backoffMs * 2, this.#pollMs), maxBackoffMs);
          this.#lastError = error;
          return false;
        },
      );
      if (backoffMs > 0) await this.#clock.sleep(backoffMs, this.#stop.signal);
      else if (!more) await this.#pause();
    }
  }

  /** Waits for a nudge, for a notice, or for the next poll. */
  async #pause(): Promise<void> {
    if (this.#announced.size > 0) return;
    if (this.#wake.signal.aborted) this.#wake = new AbortController();
    if (this.#stop.signal.aborted) return;
    await this.#clock.sleep(this.#pollMs, this.#wake.signal);
  }

  /** Goes once over every partition with something in it. @returns Whether something was left. */
  async #pass(): Promise<boolean> {
    const announced = [...this.#announced];
    this.#announced.clear();
    const waiting = announced.length > 0 ? announced : await this.#outbox.waitingPartitions();
    let more = false;
    let failure: unknown;
    for (const partition of waiting) {
      if (this.#stop.signal.aborted) return false;
      try {
        more = (await this.#drain(partition)) || more;
      } catch (error) {
        // One partition that cannot be published must not hold up the others.
        failure ??= error;
        this.#observe({ kind: 'relay-failed', partition, error });
      }
    }
    if (failure !== undefined) throw failure;
    return more || announced.length > 0;
  }

  async #drain(partition: number): Promise<boolean> {
    const outcome = await this.#outbox.drain(partition, this.#batchSize, this.#publish);
    if (outcome.status === 'busy') return false;
    if (outcome.published > 0)
      this.#observe({ kind: 'relayed', partition, count: outcome.published });
    return outcome.more;
  }
}
