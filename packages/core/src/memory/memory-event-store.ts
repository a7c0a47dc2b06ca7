import { isDeepStrictEqual } from 'node:util';

import { systemClock, type Clock } from '../clock.ts';
import {
  plainProfile,
  type EventEnvelope,
  type ExtensionValue,
  type Profile,
} from '../event/envelope.ts';
import { attributeOf } from '../event/profile-attribute.ts';
import { EventError } from '../errors.ts';
import type {
  AppendBatchOptions,
  AppendOptions,
  EventPage,
  EventQueryOptions,
  EventStore,
  TimeRangeOptions,
} from '../publish/event-store.ts';
import { beginning, countBefore, cursorAfter } from './memory-cursor.ts';
import type { MemoryRow } from './memory-row.ts';
import { MemoryDatabase } from './memory-database.ts';
import type { MemoryTransaction } from './memory-transaction.ts';

/** An event store that lives as long as the process. */
export class MemoryEventStore<E extends EventEnvelope = EventEnvelope> implements EventStore<E> {
  readonly #database: MemoryDatabase;
  readonly #profile: Profile;
  readonly #clock: Clock;
  /** The row of position p lies at p - 1. */
  readonly #rows: MemoryRow[] = [];
  readonly #byIdentity = new Map<string, MemoryRow>();
  readonly #lastOfSubject = new Map<string, bigint>();

  constructor(
    database: MemoryDatabase = new MemoryDatabase(),
    { profile = plainProfile, clock = systemClock }: { profile?: Profile; clock?: Clock } = {},
  ) {
    this.#database = database;
    this.#profile = profile;
    this.#clock = clock;
  }

  async append(event: E, options: AppendOptions = {}): Promise<bigint> {
    const json = JSON.stringify(event);
    return await this.#database.join(options, (tx) => {
      const known = this.#known(event, json);
      if (known !== undefined) return known;
      this.#assertExpected(event, options.expectedPosition);
      return this.#insert(tx, json);
    });
  }

  async appendBatch(events: readonly E[], options: AppendBatchOptions = {}): Promise<bigint[]> {
    const { route, ...choice } = options;
    const batch = events.map((event, index) => {
      const routed = route && { destination: route.destination, key: route.keys[index]! };
      return { event, json: JSON.stringify(event), routed };
    });
    return await this.#database.join(choice, (tx) => {
      // A joined transaction may go on after a refusal, so the batch is refused before it is begun.
      for (const { event, json } of batch) this.#known(event, json);
      assertOneBodyPerIdentity(batch);
      return batch.map(
        ({ event, json, routed }) => this.#known(event, json) ?? this.#insert(tx, json, routed),
      );
    });
  }

  getBySubject(subject: string, options?: EventQueryOptions): Promise<E[]> {
    return this.#select((event) => event.subject === subject, options);
  }

  getByCorrelationId(correlationId: string, options?: EventQueryOptions): Promise<E[]> {
    return this.#select((event) => event.correlationId === correlationId, options);
  }

  async getByAttribute(
    name: string,
    value: ExtensionValue,
    options?: EventQueryOptions,
  ): Promise<E[]> {
    attributeOf(this.#profile, name, value);
    return await this.#select((event) => Reflect.get(event, name) === value, options);
  }

  getByTimeRange({ startTime, endTime, ...options }: TimeRangeOptions): Promise<E[]> {
    const endMs = endTime?.getTime() ?? this.#clock.now();
    return this.#select((event) => {
      const timeMs = Date.parse(event.time);
      return timeMs >= startTime.getTime() && timeMs < endMs;
    }, options);
  }

  async getById(eventId: string, source?: string): Promise<E | null> {
    return await this.#database.join(undefined, () => {
      const row = this.#rows.find(
        ({ event }) => event.id === eventId && (source === undefined || event.source === source),
      );
      return row ? this.#read(row) : null;
    });
  }

  getCount(eventType?: string): Promise<number> {
    return this.#database.join(
      undefined,
      () => this.#rows.filter(({ event }) => !eventType || event.type === eventType).length,
    );
  }

  getLatestSequence(): Promise<bigint | null> {
    return this.#database.join(undefined, () => this.#rows.at(-1)?.position ?? null);
  }

  async readFrom(cursor: string | null, { limit }: { limit?: number } = {}): Promise<EventPage<E>> {
    const most = checkedLimit(limit);
    return await this.#database.join(undefined, () => {
      const start = cursor ?? beginning;
      const from = countBefore(start, this.#rows);
      const rows = this.#rows.slice(from, from + most);
      const last = rows.at(-1);
      return {
        events: rows.map((row) => ({
          position: row.position,
          event: this.#read(row),
          ...row.routed,
        })),
        cursor: last ? cursorAfter(last) : start,
      };
    });
  }

  async close(): Promise<void> {}

  async #select(
    matches: (event: EventEnvelope) => boolean,
    { limit, afterPosition, eventType, order = 'asc' }: EventQueryOptions = {},
  ): Promise<E[]> {
    const most = checkedLimit(limit);
    return await this.#database.join(undefined, () => {
      const rows = order === 'asc' ? this.#rows : this.#rows.toReversed();
      const beyond = (position: bigint): boolean =>
        afterPosition === undefined ||
        (order === 'asc' ? position > afterPosition : position < afterPosition);
      return rows
        .filter(({ event }) => eventType === undefined || event.type === eventType)
        .filter(({ event, position }) => beyond(position) && matches(event))
        .slice(0, most)
        .map((row) => this.#read(row));
    });
  }

  /** The position of this very event, if it is there. */
  #known(event: EventEnvelope, json: string): bigint | undefined {
    const row = this.#byIdentity.get(identityOf(event));
    if (!row) return undefined;
    assertSameBody(event, row.json, json);
    return row.position;
  }

  #assertExpected(event: EventEnvelope, expected: bigint | null | undefined): void {
    if (expected === undefined) return;
    if (event.subject === undefined) {
      throw new TypeError(
        `expectedPosition needs a subject, and ${event.type} ${event.id} has none`,
      );
    }
    const actual = this.#lastOfSubject.get(event.subject) ?? null;
    if (actual === expected) return;
    throw new EventError(
      'VERSION_CONFLICT',
      `${event.subject} is at position ${actual}, not ${expected}; read it again`,
      { subject: event.subject, expected: String(expected), actual: String(actual) },
    );
  }

  #insert(tx: MemoryTransaction, json: string, routed?: MemoryRow['routed']): bigint {
    const event = JSON.parse(json) as EventEnvelope;
    const row = { position: BigInt(this.#rows.length + 1), event, json, routed };
    tx.push(this.#rows, row);
    tx.set(this.#byIdentity, identityOf(event), row);
    if (event.subject !== undefined) tx.set(this.#lastOfSubject, event.subject, row.position);
    return row.position;
  }

  #read(row: MemoryRow): E {
    return JSON.parse(row.json) as E;
  }
}

function identityOf({ source, id }: EventEnvelope): string {
  return JSON.stringify([source, id]);
}

function assertSameBody({ source, id }: EventEnvelope, before: string, now: string): void {
  if (before === now || isDeepStrictEqual(JSON.parse(before), JSON.parse(now))) return;
  throw new EventError(
    'EVENT_ID_CONFLICT',
    `event ${id} of ${source} is known with another body; give the new event an id of its own`,
    { source, eventId: id },
  );
}

function assertOneBodyPerIdentity(
  batch: readonly { readonly event: EventEnvelope; readonly json: string }[],
): void {
  const bodies = new Map<string, string>();
  for (const { event, json } of batch) {
    const identity = identityOf(event);
    assertSameBody(event, bodies.get(identity) ?? json, json);
    bodies.set(identity, json);
  }
}

function checkedLimit(limit = 1_000): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= 10_000) return limit;
  throw new TypeError(`limit must be a whole number from 1 to 10,000, got ${limit}`);
}
