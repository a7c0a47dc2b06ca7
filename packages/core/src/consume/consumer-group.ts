import { maxTimerMs, systemClock, type Clock } from '../clock.ts';
import {
  inProduction,
  assertConsumerGroupOptions,
  type ConsumerGroupOptions,
} from './consumer-group-options.ts';
import { isDeadLetterQueue } from './dead-letter-queue.ts';
import { DeliveryProcessor, type UnfinishedDelivery } from './delivery-processor.ts';
import { EventError } from '../errors.ts';
import { withOwnStart } from '../transport/group-start.ts';
import type { Handler } from './handler.ts';
import { runOutsideScope } from '../handler-scope.ts';
import { HealthReasons, type Health } from '../health.ts';
import { randomIds } from '../ids.ts';
import { Lanes } from './lanes.ts';
import { observeAll, silentLogger, type Observer, type WarningCode } from '../observer.ts';
import { assertKnownOptions, assertRange } from '../options.ts';
import { policyChain } from './policies/chain.ts';
import { DeadLetterRecorder } from './policies/dead-letter.ts';
import type { Registration } from './policies/step.ts';
import { RedriveLoop } from './redrive-loop.ts';
import { assertInbox, register, warnAboutWildcards, type HandlerOptions } from './registration.ts';
import { defaultRetryPolicy, mergeRetryPolicy, type RetryPolicy } from '../retry/retry-policy.ts';
import type { Consumer, Delivery } from '../transport/transport.ts';
import { Warnings } from '../warnings.ts';

/**
 * The consumers of one group in this process: takes messages from a transport, runs each through its
 * key's lane and every matching handler's policies, and settles it when all of them have ended.
 */
export class ConsumerGroup {
  readonly group: string | null;
  readonly worker: string;
  readonly #options: ConsumerGroupOptions;
  readonly #clock: Clock;
  readonly #observe: Observer;
  readonly #warnings: Warnings;
  readonly #lanes: Lanes;
  readonly #registrations: Registration[] = [];
  readonly #reasons: HealthReasons;
  readonly #recorder: DeadLetterRecorder | undefined;
  readonly #processor: DeliveryProcessor;
  readonly #retry: RetryPolicy;
  readonly #finished = Promise.withResolvers<void>();
  #concurrency: number;
  #state: 'new' | 'starting' | 'running' | 'stopped' = 'new';
  #started: Promise<void> | undefined;
  #stopped: Promise<readonly UnfinishedDelivery[]> | undefined;
  #consumer: Consumer | undefined;
  #redrives: RedriveLoop | undefined;
  #unfinished: readonly UnfinishedDelivery[] = [];

  /** @throws {TypeError} If an option is out of range or one that it needs is missing. */
  constructor(options: ConsumerGroupOptions) {
    assertConsumerGroupOptions(options);
    const { group, observer, logger = silentLogger, intended = [] } = options;
    this.#options = withOwnStart(options);
    this.group = group;
    this.worker = options.worker ?? `${group ?? 'broadcast'}-${(options.ids ?? randomIds)()}`;
    this.#clock = options.clock ?? systemClock;
    this.#reasons = new HealthReasons(() => this.#clock.now());
    this.#observe = observeAll(observer ? [observer] : []);
    this.#warnings = new Warnings({ observe: this.#observe, logger, intended });
    this.#retry = mergeRetryPolicy(defaultRetryPolicy, options.retry);
    this.#concurrency = options.concurrency ?? 10;
    this.#lanes = new Lanes(this.#concurrency);
    this.#recorder = this.#newRecorder();
    this.#processor = this.#newProcessor();
    // A rejection is reported by health() too; nobody has to wait for it.
    this.#finished.promise.catch(() => undefined);
  }

  /** Resolves after `stop()`; rejects when the transport's consumer ended by itself for good. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** What the last stop left for other workers. */
  get unfinished(): readonly UnfinishedDelivery[] {
    return this.#unfinished;
  }

  /** Says whether anything is registered; a group without a handler cannot start. */
  get hasHandlers(): boolean {
    return this.#registrations.length > 0;
  }

  get running(): boolean {
    return this.#state === 'starting' || this.#state === 'running';
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
    const registration = register({
      patterns,
      handler,
      options,
      defaults: { retry: this.#retry, timeoutMs: this.#options.timeoutMs ?? 30_000 },
      middleware: this.#options.middleware ?? [],
      takenNames: new Set(this.#registrations.map(({ name }) => name)),
      chain: (once) => this.#chain(once, options.intended ?? []),
    });
    assertInbox(registration, this.#options);
    if (inProduction(this.#options)) warnAboutWildcards(registration, options, this.#warnings);
    this.#registrations.push(registration);
    return registration.name;
  }

  /**
   * Connects the transport and begins to consume. Idempotent while running; calls that come together
   * share one start.
   *
   * @throws {TypeError} If no handler is registered: everything would be settled unhandled.
   * @throws {EventError} `STOPPING` after `stop()`; what the transport throws, and then it may be tried again.
   */
  async start(): Promise<void> {
    if (this.#state === 'stopped') throw this.#stopping('was stopped; make a new one');
    if (!this.hasHandlers) {
      throw new TypeError(`group ${this.group} has no handler; register one before start()`);
    }
    this.#started ??= runOutsideScope(() => this.#start());
    await this.#started;
  }

  /** Changes how many keys are handled side by side, 1 to 10,000. */
  setConcurrency(concurrency: number): void {
    assertRange('setConcurrency', 'concurrency', concurrency, 1, 10_000, true);
    this.#concurrency = concurrency;
    this.#lanes.setConcurrency(concurrency);
    this.#consumer?.setMaxInFlight(this.#maxInFlight());
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
    assertKnownOptions('stop', options, ['deadlineMs']);
    const { deadlineMs = 10_000 } = options;
    assertRange('stop', 'deadlineMs', deadlineMs, 0, Number.POSITIVE_INFINITY);
    this.#stopped ??= this.#stop(Math.min(deadlineMs, maxTimerMs));
    return await this.#stopped;
  }

  health(): Health {
    return this.#reasons.health();
  }

  async #start(): Promise<void> {
    this.#state = 'starting';
    try {
      this.#consumer = await this.#subscribe();
    } catch (error) {
      this.#started = undefined;
      if (!this.#hasStopped()) this.#state = 'new';
      throw error;
    }
    if (this.#hasStopped()) {
      await this.#consumer.close();
      throw this.#stopping('was stopped while it started');
    }
    this.#state = 'running';
    this.#consumer.finished.then(
      () => this.#finished.resolve(),
      (error: unknown) => {
        this.#reasons.end(error);
        this.#finished.reject(error);
      },
    );
    this.#startRedrives();
  }

  async #subscribe(): Promise<Consumer> {
    const { transport, start = 'earliest' } = this.#options;
    await transport.connect();
    return await transport.subscribe(
      {
        group: this.group,
        patterns: this.#registrations.flatMap(({ patterns }) => patterns),
        start,
        maxInFlight: this.#maxInFlight(),
        worker: this.worker,
      },
      (delivery) => this.#deliver(delivery),
    );
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
    this.#consumer?.pause();
    const timer = new AbortController();
    await Promise.race([this.#drained(), this.#clock.sleep(deadlineMs, timer.signal)]);
    timer.abort();
    const reason = this.#stopping('is stopping');
    this.#unfinished = [
      ...this.#processor.abandon(reason),
      ...(this.#redrives?.abandon(reason) ?? []),
    ];
    try {
      await this.#consumer?.close();
    } finally {
      this.#finished.resolve();
    }
    return this.#unfinished;
  }

  /** Resolves when nothing is starting, running or waiting for its turn any more. */
  async #drained(): Promise<void> {
    // Why the start failed is told to whoever called it.
    await this.#started?.catch(() => undefined);
    await Promise.all([this.#redrives?.stop(), this.#lanes.idle()]);
  }

  /** Asked anew after every wait, since another call may have stopped the group in the meantime. */
  #hasStopped(): boolean {
    return this.#state === 'stopped';
  }

  #stopping(what: string): EventError<'STOPPING'> {
    const group = this.group ?? 'broadcast';
    return new EventError('STOPPING', `group ${group} ${what}`, { what: group });
  }

  #newRecorder(): DeadLetterRecorder | undefined {
    const { deadLetters: sink } = this.#options;
    if (this.group === null || !sink) return undefined;
    return new DeadLetterRecorder({
      group: this.group,
      sink,
      clock: this.#clock,
      observe: this.#observe,
      reasons: this.#reasons,
    });
  }

  #newProcessor(): DeliveryProcessor {
    const { codec, catalogue, maxDeliveries = 5 } = this.#options;
    return new DeliveryProcessor({
      group: this.group,
      codec,
      catalogue,
      recorder: this.#recorder,
      maxDeliveries,
      observe: this.#observe,
      reasons: this.#reasons,
      registrations: this.#registrations,
    });
  }

  #chain(once: boolean, intended: readonly WarningCode[]): Registration['run'] {
    return policyChain({
      group: this.group,
      once,
      recorder: this.#recorder,
      transactions: this.#options.transactions,
      inbox: this.#options.inbox,
      slowMs: intended.includes('SLOW_HANDLER')
        ? Number.POSITIVE_INFINITY
        : (this.#options.slowMs ?? 10_000),
      warnings: this.#warnings,
      reasons: this.#reasons,
      clock: this.#clock,
      random: this.#options.random ?? Math.random,
      observe: this.#observe,
      logger: this.#options.logger ?? silentLogger,
    });
  }

  #startRedrives(): void {
    const { deadLetters, redrivePollMs = 1_000, redriveLeaseMs = 60_000 } = this.#options;
    if (this.group === null || !deadLetters || !isDeadLetterQueue(deadLetters)) return;
    this.#redrives = new RedriveLoop({
      group: this.group,
      worker: this.worker,
      queue: deadLetters,
      pollMs: redrivePollMs,
      leaseMs: redriveLeaseMs,
      lanes: this.#lanes,
      processor: this.#processor,
      clock: this.#clock,
      observe: this.#observe,
      reasons: this.#reasons,
    });
    this.#redrives.start();
  }
}
