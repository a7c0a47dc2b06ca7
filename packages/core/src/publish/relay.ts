import { systemClock, type Clock } from '../clock.ts';
import type { Message } from '../event/message.ts';
import { endsWithin } from '../ends-within.ts';
import { GrowingDelay } from '../growing-delay.ts';
import { runOutsideScope } from '../handler-scope.ts';
import { HealthReasons, type Health } from '../health.ts';
import { randomIds, type Ids } from '../ids.ts';
import type { Logger, Observer, WarningCode } from '../observer.ts';
import { observeFor } from '../people.ts';
import { assertName, assertRange } from '../options.ts';
import type { PublishOutcome } from '../transport/publish-outcome.ts';
import { TroubleReporter } from '../trouble.ts';
import type { Outbox } from './outbox.ts';
import { RelayDestination } from './relay-destination.ts';

export interface RelayOptions {
  outbox: Outbox;
  /** Where it relays to; what waits for other destinations stays. */
  destination: string;
  /** Hands messages to the transport, as `Transport.publish` does. */
  publish: (
    messages: readonly Message[],
    options: { readonly marker?: string },
  ) => Promise<readonly PublishOutcome[]>;
  /** Marks the server, as `Transport.mark` does; without it, nobody notices that it is another one. */
  mark?: (candidate: string) => Promise<string>;
  /** How often to look for messages that nobody announced, in milliseconds, up to 5,000; 100 unless given. */
  pollMs?: number;
  /** Most messages published at once, 1 to 10,000; 500 unless given. */
  batchSize?: number;
  /** Warnings that are meant to be so. */
  silence?: readonly WarningCode[] | undefined;
  logger?: Logger | undefined;
  clock?: Clock;
  ids?: Ids;
  observer?: Observer | undefined;
}

/** A partition whose last pass has failed. */
interface Failing {
  readonly error: unknown;
  readonly delay: GrowingDelay;
  readonly delayMs: number;
  /** In milliseconds since the epoch. */
  readonly retryAt: number;
}

/**
 * Longest time between two looks of a relay, in milliseconds. With longer ones its health would tell of trouble too
 * late, and other relays would take it for gone.
 */
export const maxRelayPollMs = 5_000;
/** Longest wait before a partition that failed is tried again. */
const maxDelayMs = 5_000;
/** How long a relay that ends goes on with what its own process has announced. */
const lastPassesMs = 5_000;
/** What a pass comes to while another relay works on the partition. */
const busy = Symbol('busy');
/** Stands for the look at all partitions, which can fail like any of them. */
const allPartitions = -1;

/**
 * Moves committed messages from the outbox to one destination, in order per key.
 *
 * Relays may run in any number of processes; each partition is worked on by one of them at a time. A
 * relay that dies between publishing and forgetting leaves repeats, with the same ids.
 */
export class Relay {
  readonly #outbox: Outbox;
  readonly #name: string;
  readonly #destination: RelayDestination;
  readonly #pollMs: number;
  readonly #batchSize: number;
  readonly #clock: Clock;
  readonly #observe: Observer;
  readonly #reasons: HealthReasons;
  readonly #trouble: TroubleReporter;
  /** Partitions to drain: announced, found, or not emptied by the last drain. */
  readonly #due = new Set<number>();
  readonly #stop = new AbortController();
  #wake = new AbortController();
  /** When to look at all partitions again, in milliseconds since the epoch. */
  #scanAt = 0;
  /** When a relay that ends gives up what is left. */
  #endAt = 0;
  #running: Promise<void> | undefined;
  #endListening: (() => Promise<void>) | undefined;
  /** False while it listens, or is about to. */
  #mayListen = true;
  readonly #failing = new Map<number, Failing>();

  /** @throws {TypeError} If an option is out of range. */
  constructor(options: RelayOptions) {
    const { pollMs = 100, batchSize = 500, destination } = options;
    const { ids = randomIds, clock = systemClock } = options;
    assertName('a destination', destination);
    assertRange('relay', 'pollMs', pollMs, 1, maxRelayPollMs);
    assertRange('relay', 'batchSize', batchSize, 1, 10_000, true);
    this.#outbox = options.outbox;
    this.#name = destination;
    this.#pollMs = pollMs;
    this.#batchSize = batchSize;
    this.#clock = clock;
    this.#observe = observeFor(options);
    this.#reasons = new HealthReasons(() => clock.now());
    const told = { observe: this.#observe, reasons: this.#reasons };
    this.#trouble = new TroubleReporter({ ...told, who: 'relay', name: destination, clock });
    this.#destination = new RelayDestination({ ...options, ...told, clock, ids });
  }

  /** What stopped the last pass; `undefined` while all goes well. */
  get lastError(): unknown {
    return [...this.#failing.values()].at(-1)?.error;
  }

  /** What keeps messages from getting out: a destination that is away or another one, messages that it does not take. */
  health(): Health {
    return this.#reasons.health();
  }

  /** Begins to relay, in the background. Idempotent. */
  start(): void {
    if (this.#running || this.#stop.signal.aborted) return;
    this.#running = runOutsideScope(() => this.#run());
  }

  /** Says that a commit has put messages into these partitions; they are published at once. */
  nudge(partitions: Iterable<number>): void {
    for (const partition of partitions) this.#due.add(partition);
    this.#wake.abort();
  }

  /**
   * Publishes what this process has announced, for a few seconds at most, and ends; a pass that gets no answer is
   * waited for no longer than ten. What is left waits for another relay. Idempotent.
   */
  async stop(): Promise<void> {
    if (!this.#stop.signal.aborted) this.#endAt = this.#clock.now() + lastPassesMs;
    this.#stop.abort();
    this.#wake.abort();
    await endsWithin(this.#clock, 2 * lastPassesMs, this.#ended());
  }

  async #ended(): Promise<void> {
    await this.#running;
    await this.#endListening?.().catch(() => undefined);
    this.#endListening = undefined;
  }

  async #run(): Promise<void> {
    void this.#listen();
    while (!this.#stop.signal.aborted) {
      // Whoever wakes the relay from here on has something that this round may miss.
      if (this.#wake.signal.aborted) this.#wake = new AbortController();
      await this.#findDue();
      await this.#drainDue(() => this.#stop.signal.aborted);
      await this.#pause();
    }
    while (this.#due.size > 0 && this.#clock.now() < this.#endAt) {
      await this.#drainDue(() => this.#clock.now() >= this.#endAt);
    }
  }

  /** Hints spare the wait for the next poll. Until they can be had, the polls find everything. */
  async #listen(): Promise<void> {
    if (!this.#mayListen) return;
    this.#mayListen = false;
    try {
      const end = await this.#outbox.listen?.(() => {
        this.#scanAt = 0;
        this.#wake.abort();
      });
      if (this.#stop.signal.aborted) await end?.();
      else this.#endListening = end;
    } catch {
      this.#mayListen = true;
    }
  }

  /** Waits for a nudge, for a hint, or for the next poll. */
  async #pause(): Promise<void> {
    const waitMs = Math.min(this.#scanAt - this.#clock.now(), this.#pollMs);
    if (this.#due.size > 0 || waitMs <= 0 || this.#stop.signal.aborted) return;
    await this.#clock.sleep(waitMs, this.#wake.signal);
  }

  /** Looks at all partitions once per poll, however busy the announced ones keep the relay. */
  async #findDue(): Promise<void> {
    if (this.#isAhead(this.#scanAt, this.#pollMs)) return;
    this.#scanAt = this.#clock.now() + this.#pollMs;
    const found = await this.#attempt(allPartitions, async () => {
      await this.#destination.checkIn();
      return await this.#outbox.waitingPartitions(this.#name);
    });
    if (!found) return;
    void this.#listen();
    for (const partition of found) this.#due.add(partition);
    for (const partition of this.#failing.keys()) {
      // Another relay was luckier, or an operator has helped.
      if (!this.#due.has(partition)) this.#recovered(partition);
    }
  }

  /** One round: every partition that is due once, the longest waiting first. */
  async #drainDue(isOver: () => boolean): Promise<void> {
    // A copy, since what a drain puts back is for the next round.
    for (const partition of Array.from(this.#due)) {
      if (isOver()) return;
      this.#due.delete(partition);
      await this.#attempt(partition, () => this.#drain(partition));
    }
  }

  async #drain(partition: number): Promise<typeof busy | void> {
    const pass = { destination: this.#name, partition, limit: this.#batchSize };
    const outcome = await this.#outbox.drain(pass, (messages) =>
      this.#destination.publish(messages),
    );
    if (outcome.status === 'busy') return busy;
    if (outcome.more) this.#due.add(partition);
    if (outcome.published > 0) {
      this.#observe({ kind: 'relayed', partition, count: outcome.published });
    }
    this.#destination.reportRefused(outcome.refused);
    // What is refused is told to people at the next look, which may be far off.
    if (outcome.refused.length > 0) this.#scanAt = 0;
  }

  /** Does something for one partition unless it has just failed, so that it never holds up the others. */
  async #attempt<T>(partition: number, work: () => Promise<T>): Promise<T | undefined> {
    const failing = this.#failing.get(partition);
    if (failing && this.#isAhead(failing.retryAt, failing.delayMs)) return undefined;
    const answered = this.#trouble.asked(`the outbox or ${this.#name}`);
    try {
      const result = await work();
      if (failing && result === busy) this.#postpone(partition, failing);
      else this.#recovered(partition);
      return result;
    } catch (error) {
      const delay =
        failing?.delay ?? new GrowingDelay({ firstMs: this.#pollMs, maxMs: maxDelayMs });
      const delayMs = delay.next();
      const retryAt = this.#clock.now() + delayMs;
      this.#failing.set(partition, { error, delay, delayMs, retryAt });
      this.#observe({ kind: 'relay-failed', partition, error });
      this.#trouble.begin(error);
      return undefined;
    } finally {
      answered();
    }
  }

  #recovered(partition: number): void {
    this.#failing.delete(partition);
    if (this.#failing.size === 0) this.#trouble.end();
  }

  /** Another relay is at it, which says nothing of how it fares. */
  #postpone(partition: number, failing: Failing): void {
    const retryAt = this.#clock.now() + failing.delayMs;
    this.#failing.set(partition, { ...failing, retryAt });
  }

  /** Says whether a time that was set `withinMs` ahead is still to come, however the clock was put since. */
  #isAhead(atMs: number, withinMs: number): boolean {
    const leftMs = atMs - this.#clock.now();
    return leftMs > 0 && leftMs <= withinMs;
  }
}
