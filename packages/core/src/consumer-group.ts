import type { Catalogue } from './catalogue.ts';
import { maxTimerMs, systemClock, type Clock } from './clock.ts';
import type { Codec } from './codec.ts';
import type { DeadLetterQueue } from './dead-letter-queue.ts';
import { DeliveryProcessor } from './delivery-processor.ts';
import { EventError } from './errors.ts';
import type { Handler, Middleware } from './handler.ts';
import { randomIds, type Ids } from './ids.ts';
import type { Inbox } from './inbox.ts';
import { Lanes } from './lanes.ts';
import {
  observeAll,
  silentLogger,
  type Logger,
  type Observer,
  type WarningCode,
} from './observer.ts';
import { isWildcard } from './patterns.ts';
import { policyChain } from './policies/chain.ts';
import type { Registration } from './policies/step.ts';
import { RedriveLoop } from './redrive-loop.ts';
import { register, type HandlerOptions } from './registration.ts';
import { assertKnownOptions, assertRange } from './options.ts';
import { assertRetryPolicy, defaultRetryPolicy, type RetryPolicy } from './retry-policy.ts';
import type { TransactionRunner } from './transaction.ts';
import type { Consumer, Coordinates, Transport } from './transport.ts';
import { Warnings } from './warnings.ts';

export interface ConsumerGroupOptions {
  transport: Transport;
  codec: Codec;
  /** Name of the group; `null` for a broadcast subscription, where every instance gets everything. */
  group: string | null;
  /** Where dead letters go; needed by every group, refused for broadcast. */
  deadLetters?: DeadLetterQueue;
  /** Needed by handlers with `{ inbox: true }`. */
  transactions?: TransactionRunner;
  inbox?: Inbox;
  /** Brings events of an older version up to date. */
  catalogue?: Catalogue;
  /** Where a new group begins: with everything kept (default), or with what is published from now on. */
  start?: 'earliest' | 'latest';
  /** Most keys handled side by side, 1 to 10,000; 10 unless given. */
  concurrency?: number;
  /** Most messages taken from the transport and not finished; ten times the concurrency unless given. */
  maxInFlight?: number;
  retry?: Partial<RetryPolicy>;
  /** Longest run of one attempt in milliseconds; 30,000 unless given. */
  timeoutMs?: number;
  /** After this many deliveries that nobody finished, a message is a dead letter; 5 unless given. */
  maxDeliveries?: number;
  /** A handler that takes longer than this is named once, in milliseconds; 10,000 unless given. */
  slowMs?: number;
  /** How often to look for dead letters that an operator wants run again, in milliseconds; 1,000 unless given. */
  redrivePollMs?: number;
  /** How long a redrive may be silent before another worker takes it, in milliseconds; 60,000 unless given. */
  redriveLeaseMs?: number;
  middleware?: readonly Middleware[];
  /** Warnings that are meant to be so. */
  intended?: readonly WarningCode[];
  /** True in production, where wildcards are worth a warning. */
  production?: boolean;
  worker?: string;
  observer?: Observer;
  logger?: Logger;
  clock?: Clock;
  ids?: Ids;
  random?: () => number;
}

const consumerGroupOptions: readonly (keyof ConsumerGroupOptions)[] = [
  'transport',
  'codec',
  'group',
  'deadLetters',
  'transactions',
  'inbox',
  'catalogue',
  'start',
  'concurrency',
  'maxInFlight',
  'retry',
  'timeoutMs',
  'maxDeliveries',
  'slowMs',
  'redrivePollMs',
  'redriveLeaseMs',
  'middleware',
  'intended',
  'production',
  'worker',
  'observer',
  'logger',
  'clock',
  'ids',
  'random',
];

/** A delivery that a stop left for another worker. */
export interface UnfinishedDelivery {
  readonly eventId: string;
  /** The handler it was in; `undefined` if it had not begun. */
  readonly handler: string | undefined;
  readonly coordinates: Coordinates;
}

export interface GroupHealth {
  readonly status: 'ok' | 'degraded' | 'failed';
  readonly reasons: readonly string[];
}

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
  readonly #processor: DeliveryProcessor;
  readonly #retry: RetryPolicy;
  readonly #overdue = new Set<string>();
  readonly #finished = Promise.withResolvers<void>();
  #state: 'new' | 'starting' | 'running' | 'stopped' = 'new';
  #consumer: Consumer | undefined;
  #redrives: RedriveLoop | undefined;
  #failure: unknown;
  #unfinished: readonly UnfinishedDelivery[] = [];

  /** @throws {TypeError} If an option is out of range or one that it needs is missing. */
  constructor(options: ConsumerGroupOptions) {
    assertOptions(options);
    this.#options = options;
    this.group = options.group;
    this.worker =
      options.worker ?? `${options.group ?? 'broadcast'}-${(options.ids ?? randomIds)()}`;
    this.#clock = options.clock ?? systemClock;
    this.#observe = observeAll([
      (seen) => this.#watch(seen),
      ...(options.observer ? [options.observer] : []),
    ]);
    this.#warnings = new Warnings({
      observe: this.#observe,
      logger: options.logger ?? silentLogger,
      intended: options.intended,
    });
    this.#retry = { ...defaultRetryPolicy, ...options.retry };
    assertRetryPolicy(this.#retry, `group ${options.group}`);
    this.#lanes = new Lanes(options.concurrency ?? 10);
    this.#processor = new DeliveryProcessor({
      group: options.group,
      codec: options.codec,
      catalogue: options.catalogue,
      deadLetters: options.deadLetters,
      maxDeliveries: options.maxDeliveries ?? 5,
      clock: this.#clock,
      observe: this.#observe,
      registrations: this.#registrations,
    });
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
      const shown = this.group ?? 'broadcast';
      throw new EventError(
        'GROUP_RUNNING',
        `${shown} has started; register every handler before start()`,
        {
          group: shown,
        },
      );
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
    this.#assertInbox(registration);
    this.#warnAboutWildcards(registration, options.intended ?? []);
    this.#registrations.push(registration);
    return registration.name;
  }

  /** Connects the transport and begins to consume. Idempotent while running. */
  async start(): Promise<void> {
    if (this.running) return;
    if (this.#state === 'stopped') {
      throw new EventError('STOPPING', `group ${this.group} was stopped; make a new one`, {
        what: String(this.group),
      });
    }
    this.#state = 'starting';
    const { transport, start = 'earliest', concurrency = 10 } = this.#options;
    try {
      await transport.connect();
      this.#consumer = await transport.subscribe(
        {
          group: this.group,
          patterns: this.#registrations.flatMap(({ patterns }) => patterns),
          start,
          maxInFlight: this.#options.maxInFlight ?? concurrency * 10,
          worker: this.worker,
        },
        (delivery) => {
          if (!this.#processor.admit(delivery)) return;
          this.#lanes.add(delivery.message.key, () => this.#processor.process(delivery));
        },
      );
    } catch (error) {
      this.#state = 'new';
      throw error;
    }
    this.#state = 'running';
    this.#consumer.finished.then(
      () => this.#finished.resolve(),
      (error: unknown) => {
        this.#failure = error;
        this.#finished.reject(error);
      },
    );
    this.#startRedrives();
  }

  /** Changes how many keys are handled side by side, 1 to 10,000. */
  setConcurrency(concurrency: number): void {
    assertRange('setConcurrency', 'concurrency', concurrency, 1, 10_000, true);
    this.#lanes.setConcurrency(concurrency);
    this.#consumer?.setMaxInFlight(this.#options.maxInFlight ?? concurrency * 10);
  }

  /**
   * Stops taking messages, waits for those under way, and leaves the rest to other workers.
   *
   * @param deadlineMs Longest wait in milliseconds; what is unfinished then has its signal aborted and
   *   is not settled.
   * @returns What was left unfinished.
   */
  async stop({ deadlineMs = 10_000 }: { deadlineMs?: number } = {}): Promise<
    readonly UnfinishedDelivery[]
  > {
    if (this.#state === 'stopped') return this.#unfinished;
    this.#state = 'stopped';
    this.#consumer?.pause();
    const redrivesEnded = this.#redrives?.stop();
    const timer = new AbortController();
    await Promise.race([
      this.#lanes.idle(),
      this.#clock.sleep(Math.min(deadlineMs, maxTimerMs), timer.signal),
    ]);
    timer.abort();
    this.#unfinished = this.#processor.abandon();
    await redrivesEnded;
    await this.#consumer?.close();
    this.#finished.resolve();
    return this.#unfinished;
  }

  health(): GroupHealth {
    const degraded = [...this.#overdue].map(
      (handler) => `handler ${handler} is past its timeout and has not returned`,
    );
    if (this.#processor.stuckDeadLetters > 0) {
      degraded.push(`${this.#processor.stuckDeadLetters} dead letters cannot be stored`);
    }
    if (this.#failure !== undefined) {
      return {
        status: 'failed',
        reasons: [`the consumer has ended: ${messageOf(this.#failure)}`, ...degraded],
      };
    }
    return { status: degraded.length > 0 ? 'degraded' : 'ok', reasons: degraded };
  }

  #chain(once: boolean, intended: readonly WarningCode[]): Registration['run'] {
    return policyChain({
      group: this.group,
      once,
      recorder: this.#processor.recorder,
      transactions: this.#options.transactions,
      inbox: this.#options.inbox,
      slowMs: intended.includes('SLOW_HANDLER')
        ? Number.POSITIVE_INFINITY
        : (this.#options.slowMs ?? 10_000),
      warnings: this.#warnings,
      clock: this.#clock,
      random: this.#options.random ?? Math.random,
      observe: this.#observe,
      logger: this.#options.logger ?? silentLogger,
    });
  }

  #startRedrives(): void {
    const { deadLetters, redrivePollMs = 1_000, redriveLeaseMs = 60_000 } = this.#options;
    if (this.group === null || !deadLetters) return;
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
    });
    this.#redrives.start();
  }

  #assertInbox({ name, inbox }: Registration): void {
    if (!inbox) return;
    if (this.group === null)
      throw new TypeError(`handler ${name}: a broadcast subscription has no inbox`);
    if (!this.#options.transactions || !this.#options.inbox) {
      throw new TypeError(
        `handler ${name}: { inbox: true } needs a database; pass { database } to the subscriber`,
      );
    }
  }

  #warnAboutWildcards({ name, patterns }: Registration, intended: readonly WarningCode[]): void {
    if (!this.#options.production || intended.includes('WILDCARD_IN_PRODUCTION')) return;
    if (!patterns.some(isWildcard)) return;
    this.#warnings.once(
      'WILDCARD_IN_PRODUCTION',
      name,
      `handler ${name} takes every type that matches ${patterns.join(', ')}; name the types, or say intended: ['WILDCARD_IN_PRODUCTION']`,
    );
  }

  #watch(seen: Parameters<Observer>[0]): void {
    if (seen.kind === 'handler-overdue') this.#overdue.add(seen.handler);
    if (seen.kind === 'processed' || seen.kind === 'attempt-failed')
      this.#overdue.delete(seen.handler);
  }
}

function assertOptions(options: ConsumerGroupOptions): void {
  const where = `group ${options.group ?? '(broadcast)'}`;
  assertKnownOptions(where, options, consumerGroupOptions);
  const { group, deadLetters, concurrency, maxInFlight, timeoutMs, maxDeliveries } = options;
  if (group !== null && (typeof group !== 'string' || group === '' || group.length > 255)) {
    throw new TypeError('a group name must be 1 to 255 characters');
  }
  if (group !== null && !deadLetters)
    throw new TypeError(`${where} needs deadLetters: nothing is dropped without a record`);
  if (group === null && !options.transport.capabilities.broadcast) {
    throw new EventError('CAPABILITY_MISSING', `${options.transport.name} cannot broadcast`, {
      transport: options.transport.name,
      capability: 'broadcast',
    });
  }
  if (concurrency !== undefined) assertRange(where, 'concurrency', concurrency, 1, 10_000, true);
  if (maxInFlight !== undefined) assertRange(where, 'maxInFlight', maxInFlight, 1, 1_000_000, true);
  if (timeoutMs !== undefined) assertRange(where, 'timeoutMs', timeoutMs, 1, maxTimerMs);
  if (maxDeliveries !== undefined)
    assertRange(where, 'maxDeliveries', maxDeliveries, 1, 1_000, true);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : JSON.stringify(error);
}
