import { maxTimerMs, systemClock, type Clock } from '../clock.ts';
import { assertConsumerGroupOptions, type ConsumerGroupOptions } from './consumer-group-options.ts';
import type { DeliveryProcessor, UnfinishedDelivery } from './delivery-processor.ts';
import { endsWithin } from '../ends-within.ts';
import { EventError } from '../errors.ts';
import { withOwnStart } from '../transport/group-start.ts';
import { groupParts } from './group-parts.ts';
import type { Handler } from './handler.ts';
import type { HandlerRegistry } from './handler-registry.ts';
import { Intake } from './intake.ts';
import { runOutsideScope } from '../handler-scope.ts';
import { HealthReasons, type Health } from '../health.ts';
import { randomIds } from '../ids.ts';
import type { KeptWork } from './kept-work.ts';
import { Lanes } from './lanes.ts';
import type { Observer } from '../observer.ts';
import { openIntake } from './open-intake.ts';
import { observeFor } from '../people.ts';
import { assertKnownOptions, assertRange } from '../options.ts';
import { RetryBacklog } from './retry-backlog.ts';
import { retireIn, type RetireOptions } from './retire-handlers.ts';
import type { HandlerOptions } from './registration.ts';
import { nameSmallPool } from './small-pool.ts';
import type { Delivery } from '../transport/transport.ts';
import { groupStopping } from '../stopping.ts';
import { TroubleReporter } from '../trouble.ts';

/**
 * The consumers of one group in this process: takes messages from a transport, runs each through its
 * key's lane and every matching handler's policies, and settles it when all of them have ended.
 */
export class ConsumerGroup {
  readonly group: string | null;
  readonly worker: string;
  readonly #options: ConsumerGroupOptions;
  /** What every part of the group is given. */
  readonly #shared: { clock: Clock; observe: Observer; reasons: HealthReasons };
  readonly #trouble: TroubleReporter;
  readonly #lanes: Lanes;
  readonly #intake: Intake;
  readonly #backlog: RetryBacklog;
  readonly #handlers: HandlerRegistry;
  readonly #kept: KeptWork | undefined;
  readonly #processor: DeliveryProcessor;
  readonly #finished = Promise.withResolvers<void>();
  /** Aborted by the stop. */
  readonly #stopping = new AbortController();
  #concurrency: number;
  #state: 'new' | 'starting' | 'running' | 'ended' | 'stopped' = 'new';
  #started: Promise<void> | undefined;
  #stopped: Promise<readonly UnfinishedDelivery[]> | undefined;
  #unfinished: readonly UnfinishedDelivery[] = [];

  /** @throws {TypeError} If an option is out of range or one that it needs is missing. */
  constructor(options: ConsumerGroupOptions) {
    assertConsumerGroupOptions(options);
    const { group, clock = systemClock } = options;
    this.#options = withOwnStart(options);
    this.group = group;
    this.worker = options.worker ?? `${group ?? 'broadcast'}-${(options.ids ?? randomIds)()}`;
    this.#shared = {
      clock,
      observe: observeFor(options),
      reasons: new HealthReasons(() => clock.now()),
    };
    const name = group ?? 'broadcast';
    this.#trouble = new TroubleReporter({ ...this.#shared, who: 'consumer', name });
    this.#concurrency = options.concurrency ?? 10;
    this.#lanes = new Lanes(this.#concurrency, (waiting) => this.#backlog.note(waiting));
    this.#intake = new Intake((delivery) => this.#deliver(delivery), this.#trouble);
    const { handlers, kept, processor } = groupParts({
      ...this.#shared,
      options: this.#options,
      worker: this.worker,
      lanes: this.#lanes,
    });
    this.#handlers = handlers;
    this.#backlog = this.#newBacklog();
    this.#kept = kept;
    this.#processor = processor;
    // A rejection is reported by health() too; nobody has to wait for it.
    this.#finished.promise.catch(() => undefined);
  }

  /** Resolves after `stop()`; rejects when the transport's consumer ended for good without it. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** What the last stop left for other workers. */
  get unfinished(): readonly UnfinishedDelivery[] {
    return this.#unfinished;
  }

  /** Says whether anything is registered; a group without a handler cannot start. */
  get hasHandlers(): boolean {
    return this.#handlers.registrations.length > 0;
  }

  /** False before the start, after `stop()`, and once the transport's consumer has ended or was closed. */
  get running(): boolean {
    return this.#state === 'starting' || this.#state === 'running';
  }

  /** True from `stop()` on, and once the transport's consumer has ended: it never starts again. */
  get isOver(): boolean {
    return this.#state === 'stopped' || this.#state === 'ended';
  }

  get paused(): boolean {
    return this.#intake.paused && !this.#hasStopped();
  }

  /**
   * Registers a handler for every event type that matches one of the patterns.
   *
   * @returns The handler's name, under which its inbox rows and dead letters are kept.
   * @throws {TypeError} If an option is not usable.
   * @throws {EventError} `GROUP_RUNNING` after `start()`: an event that came before the handler would miss it.
   */
  on(patterns: readonly string[], handler: Handler, options: HandlerOptions = {}): string {
    if (this.#state !== 'new') {
      const group = this.group ?? 'broadcast';
      const message = `${group} has started; register every handler before start()`;
      throw new EventError('GROUP_RUNNING', message, { group });
    }
    return this.#handlers.add(patterns, handler, options);
  }

  /**
   * Connects the transport and begins to consume. Idempotent while running; calls that come together
   * share one start.
   *
   * Waits for servers that are away, or not ready yet, until `stop()`, with a warning and a degraded health.
   *
   * @throws {TypeError} If no handler is registered: everything would be settled unhandled.
   * @throws {EventError} `ACCESS_REFUSED` if a server refuses its user, and what else does not pass by itself:
   *   then it may be tried again; `STOPPING` after its end.
   */
  async start(): Promise<void> {
    if (this.#state === 'stopped') throw groupStopping(this.group, 'was stopped; make a new one');
    if (this.#state === 'ended')
      throw groupStopping(this.group, 'has ended, see health(); make a new one');
    if (!this.hasHandlers) {
      throw new TypeError(`group ${this.group} has no handler; register one before start()`);
    }
    this.#started ??= runOutsideScope(() => this.#start());
    await this.#started;
  }

  /**
   * Takes nothing more from the transport, and no dead letters to be run again, until `resume()`; what
   * has been taken goes on. A group that is paused before its start begins paused. Idempotent.
   */
  pause(): void {
    this.#intake.pause();
    this.#kept?.pause();
  }

  /** Undoes `pause()`. Idempotent. */
  resume(): void {
    if (!this.paused || this.#hasStopped()) return;
    this.#intake.resume();
    this.#kept?.resume();
  }

  /** Changes how many keys are handled side by side, 1 to 10,000. */
  setConcurrency(concurrency: number): void {
    assertRange('setConcurrency', 'concurrency', concurrency, 1, 10_000, true);
    this.#concurrency = concurrency;
    this.#lanes.setConcurrency(concurrency);
    this.#backlog.setMaxInFlight(this.#maxInFlight());
    if (this.running)
      nameSmallPool(this.#options, this.#concurrency, this.#handlers, this.#shared.reasons);
  }

  /**
   * Stops taking messages, waits for those under way, and leaves the rest to other workers.
   *
   * @param deadlineMs Longest wait in milliseconds, 10,000 unless given; what is unfinished then has
   *   its signal aborted and is not settled.
   * @returns What was left unfinished. Calls after the first wait for that one.
   * @throws {TypeError} If the deadline is not a number from 0 on.
   */
  async stop(options: { deadlineMs?: number } = {}): Promise<readonly UnfinishedDelivery[]> {
    assertKnownOptions('stop', options, { deadlineMs: true });
    const { deadlineMs = 10_000 } = options;
    assertRange('stop', 'deadlineMs', deadlineMs, 0, Number.POSITIVE_INFINITY);
    this.#stopped ??= this.#stop(Math.min(deadlineMs, maxTimerMs));
    return await this.#stopped;
  }

  /**
   * Gives up a handler, or a whole service, that does not come back: what waits for it ends as skipped. It may
   * be called before the start, and by any instance of the group.
   *
   * @returns How many events were waiting.
   * @throws {TypeError} If it is not said what is given up, by whom, or why.
   * @throws {EventError} `CAPABILITY_MISSING` where nothing is left for other instances.
   */
  async retire(options: RetireOptions): Promise<number> {
    return await retireIn(this.#options, options);
  }

  health(): Health {
    return this.#shared.reasons.health();
  }

  async #start(): Promise<void> {
    this.#state = 'starting';
    let finished: Promise<void>;
    try {
      ({ finished } = await openIntake({
        ...this.#shared,
        options: this.#options,
        worker: this.worker,
        intake: this.#intake,
        kept: this.#kept,
        handlers: this.#handlers,
        backlog: this.#backlog,
        trouble: this.#trouble,
        signal: this.#stopping.signal,
      }));
    } catch (error) {
      this.#started = undefined;
      // Nothing is left for an instance that does not come up.
      this.#kept?.end();
      if (!this.#hasStopped()) this.#state = 'new';
      throw error;
    }
    this.#state = 'running';
    nameSmallPool(this.#options, this.#concurrency, this.#handlers, this.#shared.reasons);
    finished.then(
      () =>
        this.#hasStopped() || this.#end(groupStopping(this.group, 'has had its transport closed')),
      (error: unknown) => this.#end(error),
    );
    this.#kept?.start();
  }

  /** The transport's consumer has ended for good, and not because of a stop. */
  #end(error: unknown): void {
    if (!this.#hasStopped()) this.#state = 'ended';
    // What it was in trouble with is over, too.
    const { reasons, observe } = this.#shared;
    reasons.remove(this.#trouble);
    reasons.end(error);
    observe({ kind: 'consumer-ended', group: this.group ?? 'broadcast', error });
    this.#finished.reject(error);
  }

  #maxInFlight(): number {
    return this.#options.maxInFlight ?? this.#concurrency * 10;
  }

  #deliver(delivery: Delivery): void {
    // What still comes after the stop is not begun any more; closing the consumer gives it back.
    if (this.#hasStopped() || !this.#processor.admit(delivery)) return;
    this.#lanes.add(delivery.message.key, () => this.#processor.process(delivery));
  }

  async #stop(deadlineMs: number): Promise<readonly UnfinishedDelivery[]> {
    this.#state = 'stopped';
    this.#stopping.abort();
    this.#intake.pause();
    await endsWithin(this.#shared.clock, deadlineMs, this.#drained());
    const reason = groupStopping(this.group, 'is stopping');
    this.#unfinished = [...this.#processor.abandon(reason), ...(this.#kept?.abandon(reason) ?? [])];
    try {
      await this.#intake.close();
    } finally {
      this.#kept?.end();
      this.#handlers.end();
      this.#shared.reasons.remove(this.#trouble);
      this.#finished.resolve();
    }
    return this.#unfinished;
  }

  /** Resolves when nothing is starting, running or waiting for its turn any more. */
  async #drained(): Promise<void> {
    // Why the start failed is told to whoever called it.
    await this.#started?.catch(() => undefined);
    await Promise.all([this.#kept?.stop(), this.#lanes.idle()]);
  }

  /** Asked anew after every wait, since another call may have stopped the group in the meantime. */
  #hasStopped(): boolean {
    return this.#state === 'stopped';
  }

  #newBacklog(): RetryBacklog {
    const { warnings } = this.#handlers;
    const [group, maxInFlight] = [this.group ?? 'broadcast', this.#maxInFlight()];
    const onChange = (allowed: number): void => this.#intake.setMaxInFlight(allowed);
    return new RetryBacklog({ ...this.#shared, group, maxInFlight, warnings, onChange });
  }
}
