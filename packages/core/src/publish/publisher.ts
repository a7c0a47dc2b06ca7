import { assertComplete, combined, goodOf, type EventResult } from './batch-result.ts';
import { checkAgainst } from './catalogue-check.ts';
import { systemClock, type Clock } from '../clock.ts';
import type { EventEnvelope } from '../event/envelope.ts';
import type { EncodedEvent } from '../event/message.ts';
import { connectFirst } from './connect-first.ts';
import { DirectPublishing } from './direct-publishing.ts';
import { completeDraft, type EventDraft } from './event-draft.ts';
import { holdHandler } from '../handler-scope.ts';
import { HealthReasons, jointHealth, type Health } from '../health.ts';
import { randomIds, type Ids } from '../ids.ts';
import { aboutEvent } from '../event/about-event.ts';
import type { Observer, WarningCode } from '../observer.ts';
import { observeFor, type Audience } from '../people.ts';
import { assertPublisherOptions, audienceOf } from './publisher-options.ts';
import { assertTransactionChoice } from '../options.ts';
import type { Relay } from './relay.ts';
import { PendingWork } from '../pending-work.ts';
import type { PublisherOptions, PublishingStore } from './publisher-options.ts';
import { shareRelay, type RelayHold } from './shared-relay.ts';
import { elsewhere, StoredPublishing } from './stored-publishing.ts';
import { wasShutDown } from '../stopping.ts';
import type { TransactionChoice } from '../transaction.ts';
import { TroubleReporter } from '../trouble.ts';
import { Warnings } from '../warnings.ts';

/** Checks events and gets them on their way; resolves when they cannot be lost any more. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #audience: Audience;
  readonly #observe: Observer;
  readonly #warnings: Warnings;
  readonly #reasons: HealthReasons;
  readonly #sending: StoredPublishing | DirectPublishing;
  readonly #hold: RelayHold | undefined;
  readonly #underWay = new PendingWork();
  readonly #trouble: TroubleReporter;
  readonly #shutDown = new AbortController();

  /** @throws {TypeError} If the service name is no URI reference, an option is not known, or `relayPollMs` is out of range. */
  constructor(options: PublisherOptions) {
    assertPublisherOptions(options);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#ids = options.ids ?? randomIds;
    this.#audience = audienceOf(options);
    this.#observe = observeFor(this.#audience);
    this.#warnings = new Warnings({
      observe: this.#observe,
      silence: this.#audience.silence,
    });
    this.#reasons = new HealthReasons(() => this.#clock.now());
    this.#trouble = new TroubleReporter({
      who: 'publisher',
      name: options.serviceName,
      clock: this.#clock,
      observe: this.#observe,
      reasons: this.#reasons,
    });
    const { store } = options;
    if (!store) {
      this.#sending = this.#newDirectPublishing();
      return;
    }
    this.#sending = new StoredPublishing({
      store,
      destination: options.bus.transport.destination,
      onCommitted: (partitions) => this.relay?.nudge(partitions),
      onElsewhere: () => this.warn('TX_ELSEWHERE', elsewhere(options.serviceName)),
    });
    if (options.relay !== false) this.#hold = this.#shareRelay(store);
  }

  /** What keeps events from getting out: with a store what its relay says, else whether the last ones got out. */
  health(): Health {
    return jointHealth([this.#reasons.health(), ...(this.relay ? [this.relay.health()] : [])]);
  }

  /** The relay of this process; absent without a store, or where another process relays. */
  get relay(): Relay | undefined {
    return this.#hold?.relay;
  }

  /** The database that its store is on; absent without a store. `sameDatabase` compares its transactions. */
  get database(): Pick<PublishingStore, 'transactions'> | undefined {
    const { store } = this.#options;
    return store && { transactions: store.transactions };
  }

  /** Gives a warning about this publisher, once, unless it is silenced. */
  warn(code: WarningCode, message: string): void {
    this.#warnings.once(code, this.#options.serviceName, message);
  }

  /**
   * Connects the bus and relays, first what a process that died has left. So does the first publish, which waits
   * for no longer than the bus and the store do; this waits for servers that are away, or not ready yet, until
   * `shutdown()`, with a warning and a degraded health.
   *
   * @throws {EventError} `ACCESS_REFUSED` if the broker or the database refuses its user; `STOPPING` after
   *   `shutdown()`; what else does not pass by itself.
   */
  async connect(): Promise<void> {
    this.#assertOpen();
    const { signal } = this.#shutDown;
    const given = { ...this.#options, relay: this.relay, clock: this.#clock, signal };
    try {
      await connectFirst({ ...given, trouble: this.#trouble });
    } finally {
      this.#assertOpen();
    }
    this.relay?.start();
  }

  /**
   * Checks an event and publishes it.
   *
   * Inside a handler with an inbox, or the work of a transaction, it joins that transaction where its store is
   * on the same database; `{ tx }` joins the caller's, `{ tx: null }` stays out of all.
   *
   * @returns The event as it was published.
   * @throws {EventError} `PAYLOAD_INVALID`, `TYPE_UNKNOWN`, `ENVELOPE_INVALID`, `PAYLOAD_NOT_JSON`,
   *   `PAYLOAD_TOO_LARGE`, `PROFILE_FAILED`, `EVENT_ID_CONFLICT`, `STORE_UNAVAILABLE`, `TRANSPORT_UNAVAILABLE`,
   *   `ACCESS_REFUSED`; `STOPPING` after `shutdown()`, of the publisher or of its bus.
   */
  publish<T>(draft: EventDraft<T>, options?: TransactionChoice): Promise<EventEnvelope<T>> {
    return this.#begin(this.#publish(draft, options), options) as Promise<EventEnvelope<T>>;
  }

  /**
   * Publishes several events in order; the good ones go even if others are refused. In a transaction
   * that is joined, a refusal by the database is one for all.
   *
   * @throws {EventError} `BATCH_INCOMPLETE` with one outcome per event, if any was refused; the error
   *   itself if it kept all of them from being published.
   */
  publishBatch<T>(
    drafts: readonly EventDraft<T>[],
    options?: TransactionChoice,
  ): Promise<EventEnvelope<T>[]> {
    return this.#begin(this.#publishBatch(drafts, options), options) as Promise<EventEnvelope<T>[]>;
  }

  /**
   * Takes nothing more (`STOPPING`), waits for publishes under way and lets go of the relay. What is left in the outbox is
   * another relay's.
   */
  async shutdown(): Promise<void> {
    this.#shutDown.abort();
    await this.#underWay.ended();
    await this.#hold?.release();
  }

  /**
   * Inside a handler, its end waits for what it publishes, unless that stays out of its transaction: it
   * might wait for the very connection that the transaction holds.
   */
  #begin<T>(publishing: Promise<T>, options: TransactionChoice | undefined): Promise<T> {
    if (options?.tx !== null) holdHandler(publishing);
    return this.#underWay.watch(publishing);
  }

  async #publish(draft: EventDraft, options?: TransactionChoice): Promise<EventEnvelope> {
    assertTransactionChoice('publish', options, {});
    try {
      this.#assertOpen();
      const checking = this.#check(draft);
      const checked = checking instanceof Promise ? await checking : checking;
      const [outcome] = await this.#sendAll([checked], options);
      if (outcome!.status === 'rejected') throw outcome!.reason;
      return checked.event;
    } catch (error) {
      this.#reportFailed(draft, error);
      throw error;
    }
  }

  async #publishBatch(
    drafts: readonly EventDraft[],
    options?: TransactionChoice,
  ): Promise<EventEnvelope[]> {
    assertTransactionChoice('publishBatch', options, {});
    try {
      this.#assertOpen();
    } catch (error) {
      for (const draft of drafts) this.#reportFailed(draft, error);
      throw error;
    }
    // All of them before the first wait: what the caller does to its data meanwhile changes nothing.
    const checking = drafts.map((draft) => this.#checked(draft));
    const checks: EventResult[] = [];
    for (const check of checking) checks.push(check instanceof Promise ? await check : check);
    const good = goodOf(checks);
    const results = combined(checks, good.length > 0 ? await this.#sendAll(good, options) : []);
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      this.#reportFailed(drafts[index]!, result.reason);
    }
    assertComplete(results);
    return good.map(({ event }) => event);
  }

  /** What came later would be stored, and nobody here would relay it. */
  #assertOpen(): void {
    const { bus, serviceName } = this.#options;
    if (this.#shutDown.signal.aborted) throw wasShutDown(`publisher of ${serviceName}`);
    if (bus.closed) throw wasShutDown(`bus of the publisher of ${serviceName}`);
  }

  #checked(draft: EventDraft): EventResult | Promise<EventResult> {
    try {
      const checking = this.#check(draft);
      return checking instanceof Promise ? checking.then(fulfilled, rejected) : fulfilled(checking);
    } catch (reason) {
      return rejected(reason);
    }
  }

  /** Waits only where a schema has to. */
  #check(draft: EventDraft): EncodedEvent | Promise<EncodedEvent> {
    const { bus, catalogue, serviceName: source, store, strict = false } = this.#options;
    const version = catalogue?.get(draft.type)?.version ?? 1;
    const made = completeDraft(draft, { source, version, ids: this.#ids, clock: this.#clock });
    // Before the first wait, and for the store as well: what the caller does to its data from here on
    // must change neither of the two.
    const message = bus.codec.encode(made);
    const event = store ? bus.codec.decode(message) : made;
    const checking = catalogue && checkAgainst(catalogue, event, strict, this.#warnings);
    if (checking) return checking.then(() => this.#advised({ event, message }));
    return this.#advised({ event, message });
  }

  #advised(encoded: EncodedEvent): EncodedEvent {
    const { event } = encoded;
    this.#options.advise?.(event, (code, text) => this.#warnings.once(code, event.type, text));
    return encoded;
  }

  /** @returns For each event whether it is on its way, in the order given. */
  async #sendAll(
    checked: readonly EncodedEvent[],
    options?: TransactionChoice,
  ): Promise<readonly PromiseSettledResult<unknown>[]> {
    const results = await this.#sending.send(checked, options);
    // Without a store, the bus observes them.
    if (!this.#options.store) return results;
    this.relay?.start();
    for (const [index, { event, message }] of checked.entries()) {
      if (results[index]!.status === 'rejected') continue;
      this.#observe({
        kind: 'published',
        stored: true,
        ...aboutEvent(event, { key: message.key }),
      });
    }
    return results;
  }

  #reportFailed(draft: EventDraft, error: unknown): void {
    const source = draft.source ?? this.#options.serviceName;
    const { type, id = '', correlationId } = draft;
    const about = aboutEvent({ type, id, source, ...(correlationId ? { correlationId } : {}) });
    this.#observe({ kind: 'publish-failed', error, ...about });
  }

  #newDirectPublishing(): DirectPublishing {
    const { bus, serviceName } = this.#options;
    const onNotDurable = (): void =>
      this.warn(
        'NOT_DURABLE',
        `${serviceName} publishes in a transaction, and its publisher has no store: events go out even if the transaction is rolled back. Give it a store, or say silence: ['NOT_DURABLE']`,
      );
    return new DirectPublishing({ sender: bus, trouble: this.#trouble, onNotDurable });
  }

  #shareRelay({ outbox }: PublishingStore): RelayHold {
    const { bus, relayPollMs } = this.#options;
    return shareRelay(outbox, bus, {
      ...(relayPollMs === undefined ? {} : { pollMs: relayPollMs }),
      ...this.#audience,
      clock: this.#clock,
    });
  }
}

const fulfilled = (value: EncodedEvent): EventResult => ({ status: 'fulfilled', value });
const rejected = (reason: unknown): EventResult => ({ status: 'rejected', reason });
