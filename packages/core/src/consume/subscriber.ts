import { EventError } from '../errors.ts';
import type { Catalogue } from '../event/catalogue.ts';
import { jointHealth, type Health } from '../health.ts';
import { broadcastChoices, type ConsumerChoices } from './consumer-group-options.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { UnfinishedDelivery } from './delivery-processor.ts';
import { assertDescribed } from './described-types.ts';
import type { Handler } from './handler.ts';
import type { RetireOptions } from './retire-handlers.ts';
import {
  assertSubscriberOptions,
  assertSubscriptionOptions,
  type ConsumerSource,
  type SubscriberOptions,
  type SubscriptionOptions,
} from './subscriber-options.ts';

/**
 * Consumes events of a bus: in a group, where one instance gets each event, and by broadcast, where all
 * of them do.
 *
 * Its group is shared with every other subscriber of the group on the same bus, and is stopped and
 * paused for all of them.
 */
export class Subscriber {
  readonly #bus: ConsumerSource;
  readonly #choices: ConsumerChoices;
  readonly #inbox: boolean;
  readonly #schemas: Catalogue | undefined;
  readonly #group: ConsumerGroup;
  /** The group and the broadcast, as far as something is registered there. */
  readonly #used = new Set<ConsumerGroup>();
  readonly #finished = Promise.withResolvers<void>();
  #broadcasts: ConsumerGroup | undefined;
  #ended = 0;
  #begun = false;

  /** @throws {TypeError} If an option is not usable, or `strict` has no catalogue. */
  constructor(bus: ConsumerSource, options: SubscriberOptions = {}) {
    if (!bus) throw new TypeError('a subscriber needs a bus to consume from');
    assertSubscriberOptions(options);
    const { group, inbox = false, strict = false } = options;
    this.#bus = bus;
    this.#inbox = inbox;
    this.#choices = choicesOf(options);
    this.#schemas = strict ? (options.catalogue ?? bus.catalogue) : undefined;
    if (strict && !this.#schemas) {
      throw new TypeError('a strict subscriber needs a catalogue, of its own or of its bus');
    }
    this.#group = bus.consumers(group, this.#choices);
    // A rejection is reported by health() too; nobody has to wait for it.
    this.#finished.promise.catch(() => undefined);
  }

  /**
   * Resolves when everything has stopped; rejects when the consumer of the group, or of the broadcast,
   * has ended by itself for good.
   */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  get paused(): boolean {
    return this.#group.paused;
  }

  /** What the last stop left for other instances. */
  get unfinished(): readonly UnfinishedDelivery[] {
    return this.#all().flatMap(({ unfinished }) => unfinished);
  }

  /**
   * Registers a handler for every event type that matches a pattern.
   *
   * @throws {TypeError} If a pattern or an option is not usable, or a strict subscriber's catalogue has nothing for
   *   a pattern.
   * @throws {EventError} `GROUP_RUNNING` after `start()`; `CAPABILITY_MISSING` for a broadcast where the
   *   transport has none.
   */
  on<T = unknown, Tx extends object = object>(
    patterns: string | readonly string[],
    handler: Handler<T, Tx>,
    options: SubscriptionOptions = {},
  ): this {
    if (this.#begun) throw this.#alreadyRunning();
    assertSubscriptionOptions(`subscription to ${String(patterns)}`, options);
    const { broadcast = false, ...asked } = options;
    const group = broadcast ? this.#broadcastGroup() : this.#group;
    const types = typeof patterns === 'string' ? [patterns] : patterns;
    if (this.#schemas) assertDescribed(types, asked, this.#schemas);
    const schema = asked.schema ?? this.#schemas;
    group.on(types, handler as Handler, {
      ...(broadcast ? {} : { inbox: this.#inbox }),
      ...asked,
      ...(schema ? { schema } : {}),
    });
    this.#use(group);
    return this;
  }

  /**
   * Begins to consume; does nothing where no handler is registered. Idempotent while running.
   *
   * @throws {EventError} `STOPPING` after its end; what the transport throws, and then it may be tried again.
   */
  async start(): Promise<void> {
    this.#begun = this.#used.size > 0;
    try {
      for (const group of this.#all()) {
        if (this.#used.has(group)) await group.start();
      }
    } catch (error) {
      this.#begun = false;
      throw error;
    }
  }

  /**
   * Stops taking events and waits for those under way.
   *
   * @param deadlineMs Longest wait in milliseconds, 10,000 unless given; `unfinished` names what is left
   *   for other instances.
   */
  async stop(options: { deadlineMs?: number } = {}): Promise<void> {
    const stops = await Promise.allSettled(this.#all().map((group) => group.stop(options)));
    const failed = stops.find((stop) => stop.status === 'rejected');
    if (failed) throw failed.reason;
    this.#finished.resolve();
  }

  /** Takes nothing more until `resume()`; what has been taken goes on. It may come before the start. Idempotent. */
  pause(): void {
    for (const group of this.#all()) group.pause();
  }

  /** Undoes `pause()`. Idempotent. */
  resume(): void {
    for (const group of this.#all()) group.resume();
  }

  /** False before the start, after `stop()`, and once one of its consumers has ended by itself. */
  isRunning(): boolean {
    return this.#used.size > 0 && [...this.#used].every(({ running }) => running);
  }

  /**
   * Gives up a handler of the group, or a whole service, that does not come back: what waits for it ends as
   * skipped.
   *
   * @returns How many events were waiting.
   * @throws {TypeError} If it is not said what is given up, by whom, or why.
   */
  retire(options: RetireOptions): Promise<number> {
    return this.#group.retire(options);
  }

  health(): Health {
    return jointHealth(this.#all().map((group) => group.health()));
  }

  #all(): ConsumerGroup[] {
    return this.#broadcasts ? [this.#group, this.#broadcasts] : [this.#group];
  }

  /** Made when it is first asked for: not every transport can broadcast. */
  #broadcastGroup(): ConsumerGroup {
    if (this.#broadcasts) return this.#broadcasts;
    const made = this.#bus.consumers(null, broadcastChoices(this.#choices));
    if (this.paused) made.pause();
    this.#broadcasts = made;
    return made;
  }

  #use(group: ConsumerGroup): void {
    if (this.#used.has(group)) return;
    this.#used.add(group);
    group.finished.then(
      () => {
        this.#ended += 1;
        if (this.#ended === this.#used.size) this.#finished.resolve();
      },
      (error: unknown) => this.#finished.reject(error),
    );
  }

  #alreadyRunning(): EventError<'GROUP_RUNNING'> {
    const group = this.#group.group ?? 'broadcast';
    const message = `the subscriber of ${group} has started; register every handler before start()`;
    return new EventError('GROUP_RUNNING', message, { group });
  }
}

/** What the group is to know. */
function choicesOf(options: SubscriberOptions): ConsumerChoices {
  const { group: _group, database, inbox: _inbox, strict: _strict, ...choices } = options;
  if (!database) return choices;
  const { transactions, inbox, deadLetters } = database;
  const handovers = choices.handovers ?? database.handovers;
  const pruner = choices.pruner ?? database.pruner;
  return {
    ...choices,
    transactions,
    inbox,
    deadLetters: choices.deadLetters ?? deadLetters,
    ...(handovers ? { handovers } : {}),
    ...(pruner ? { pruner } : {}),
  };
}
