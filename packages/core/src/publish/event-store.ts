import type { EventEnvelope, ExtensionValue } from '../event/envelope.ts';
import type { TransactionChoice } from '../transaction.ts';

export interface AppendOptions extends TransactionChoice {
  /**
   * Position of the last event of the same subject that the caller knows, or `null` if it knows of
   * none. The append is refused when the subject has moved on.
   */
  expectedPosition?: bigint | null;
}

/** Where events go, kept beside them so that what a broker loses can be brought back. */
export interface EventRoute {
  /** `Transport.destination`, 1 to 255 characters. */
  readonly destination: string;
  /** The ordering key of each event, in the order given. */
  readonly keys: readonly string[];
}

export interface AppendBatchOptions extends TransactionChoice {
  /** Left out by those who publish elsewhere, or not at all. */
  route?: EventRoute;
}

/** How much to read, and from where. */
export interface EventQueryOptions {
  /** Most events, 1 to 10,000; 1,000 unless given. */
  limit?: number;
  /** Skip, in reading order, everything up to and including this position. */
  afterPosition?: bigint;
  /** Only this type. */
  eventType?: string;
  /** `asc` (default) is oldest first. */
  order?: 'asc' | 'desc';
}

export interface TimeRangeOptions extends EventQueryOptions {
  /** Inclusive. */
  startTime: Date;
  /** Exclusive; now unless given. */
  endTime?: Date;
}

/** An event together with where it lies in the store. */
export interface StoredEvent<E extends EventEnvelope = EventEnvelope> {
  readonly position: bigint;
  readonly event: E;
  /** Where it went, and by which key it was ordered there; absent if it was appended without a route. */
  readonly destination?: string;
  readonly key?: string;
}

/** One read from a cursor. */
export interface EventPage<E extends EventEnvelope = EventEnvelope> {
  readonly events: readonly StoredEvent<E>[];
  /** Where to go on; opaque, safe to store. Equal to the given one when nothing was new. */
  readonly cursor: string;
}

/**
 * Keeps every event for good, in the order of its positions.
 *
 * Appending never puts anything on a transport. Implementations pass `describeEventStore` of
 * `@waybill/core/conformance`.
 */
export interface EventStore<E extends EventEnvelope = EventEnvelope> {
  /**
   * Appends one event.
   *
   * @returns Its position; the old one if this very event was appended before.
   * @throws {EventError} `EVENT_ID_CONFLICT`, `VERSION_CONFLICT`, `STORE_UNAVAILABLE`, `STORE_REJECTED`
   */
  append(event: E, options?: AppendOptions): Promise<bigint>;
  /** Appends all or none, in order. @returns Their positions, in the order given. */
  appendBatch(events: readonly E[], options?: AppendBatchOptions): Promise<bigint[]>;
  getBySubject(subject: string, options?: EventQueryOptions): Promise<E[]>;
  getByCorrelationId(correlationId: string, options?: EventQueryOptions): Promise<E[]>;
  /**
   * Reads by an attribute that the profile declares, by its name in code.
   *
   * @throws {TypeError} If the profile has no such attribute, or its values are of another type.
   */
  getByAttribute(name: string, value: ExtensionValue, options?: EventQueryOptions): Promise<E[]>;
  getByTimeRange(options: TimeRangeOptions): Promise<E[]>;
  /** The event with this id; of several sources the one that was stored first unless `source` says which. */
  getById(eventId: string, source?: string): Promise<E | null>;
  getCount(eventType?: string): Promise<number>;
  getLatestSequence(): Promise<bigint | null>;
  /**
   * Reads on from a cursor without ever skipping an event that is committed later.
   *
   * @param cursor From an earlier page; `null` begins at the first event.
   * @throws {EventError} `CURSOR_FOREIGN` if the cursor's event is missing or differs.
   */
  readFrom(cursor: string | null, options?: { limit?: number }): Promise<EventPage<E>>;
  close(): Promise<void>;
}
