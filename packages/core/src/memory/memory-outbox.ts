import { systemClock, type Clock } from '../clock.ts';
import type { EventError } from '../errors.ts';
import type { Message } from '../event/message.ts';
import { ownMessage } from '../event/own-message.ts';
import { partitionOf } from '../partition.ts';
import {
  retryDelayMs,
  unrelayedAfterMs,
  type DrainOutcome,
  type DrainPass,
  type Outbox,
  type OutboxAddOptions,
  type OutboxStatus,
  type RefusedMessage,
  type RelayOrders,
} from '../publish/outbox.ts';
import type { Publish } from '../transport/publish-outcome.ts';
import { MemoryDatabase } from './memory-database.ts';

interface Row {
  readonly id: number;
  readonly message: Message;
  readonly destination: string;
  readonly addedAtMs: number;
  /** Set while the destination does not take it. */
  refusal?: Refusal;
}

interface Refusal {
  readonly error: EventError;
  readonly attempts: number;
  readonly refusedAtMs: number;
  readonly retryAtMs: number;
}

const maxRefused = 100;

/** An outbox that lives as long as the process. */
export class MemoryOutbox implements Outbox {
  readonly #database: MemoryDatabase;
  readonly #clock: Clock;
  /** Committed rows of each partition, oldest first. */
  readonly #partitions = new Map<number, Row[]>();
  readonly #draining = new Set<number>();
  readonly #listeners = new Set<() => void>();
  readonly #markers = new Map<string, string>();
  readonly #relayedAtMs = new Map<string, number>();
  #lastId = 0;

  constructor(
    database: MemoryDatabase = new MemoryDatabase(),
    { clock = systemClock }: { clock?: Clock } = {},
  ) {
    this.#database = database;
    this.#clock = clock;
  }

  async add(messages: readonly Message[], options: OutboxAddOptions): Promise<void> {
    if (messages.length === 0) return;
    const { destination, ...choice } = options;
    const own = messages.map(ownMessage);
    await this.#database.join(choice, (tx) => {
      const addedAtMs = this.#clock.now();
      const rows = own.map((message) => {
        return { id: (this.#lastId += 1), message, destination, addedAtMs };
      });
      tx.onCommit(() => this.#insert(rows));
    });
  }

  async drain(pass: DrainPass, publish: Publish): Promise<DrainOutcome> {
    const { partition, limit } = pass;
    if (this.#draining.has(partition)) return { status: 'busy' };
    this.#draining.add(partition);
    try {
      const rows = this.#due(pass);
      return await this.#publish(pass, rows.slice(0, limit), publish);
    } finally {
      this.#draining.delete(partition);
    }
  }

  async waitingPartitions(destination: string): Promise<number[]> {
    const partitions = [...this.#partitions.keys()].sort((a, b) => a - b);
    return partitions.filter((partition) => this.#due({ destination, partition }).length > 0);
  }

  async status(): Promise<OutboxStatus> {
    const nowMs = this.#clock.now();
    const ageMs = (rows: readonly Row[]): number =>
      nowMs - Math.min(...rows.map(({ addedAtMs }) => addedAtMs));
    const rows = this.#all();
    const byDestination = Map.groupBy(rows, ({ destination }) => destination);
    return {
      waiting: rows.length,
      oldestAgeMs: rows.length === 0 ? null : ageMs(rows),
      destinations: [...byDestination].toSorted(byName).map(([destination, own]) => ({
        destination,
        waiting: own.length,
        oldestAgeMs: ageMs(own),
        relayedAgoMs: this.#relayedAgoMs(destination),
      })),
      refused: this.#refused(rows),
    };
  }

  async checkIn(destination: string): Promise<RelayOrders> {
    this.#relayedAtMs.set(destination, this.#clock.now());
    const { destinations } = await this.status();
    const unrelayed = destinations.filter(
      ({ oldestAgeMs, relayedAgoMs }) =>
        oldestAgeMs > unrelayedAfterMs && (relayedAgoMs ?? Infinity) > unrelayedAfterMs,
    );
    return {
      marker: this.#markers.get(destination) ?? null,
      refused: this.#refused(this.#all().filter((row) => row.destination === destination)),
      unrelayed: unrelayed.map((each) => each.destination),
    };
  }

  async keepMarker(destination: string, marker: string): Promise<string> {
    const kept = this.#markers.get(destination) ?? marker;
    this.#markers.set(destination, kept);
    return kept;
  }

  async listen(wake: () => void): Promise<() => Promise<void>> {
    this.#listeners.add(wake);
    return async () => void this.#listeners.delete(wake);
  }

  async #publish(pass: DrainPass, rows: readonly Row[], publish: Publish): Promise<DrainOutcome> {
    const messages = rows.map(({ message }) => message);
    const outcomes = messages.length > 0 ? await publish(messages) : [];
    const refused: { message: Message; error: EventError }[] = [];
    const held = new Set<string>();
    let published = 0;
    for (const [index, row] of rows.entries()) {
      const outcome = outcomes[index]!;
      if (outcome.status === 'accepted') {
        published += 1;
        this.#forget(row);
      } else if (!held.has(row.message.key)) {
        held.add(row.message.key);
        this.#refuse(row, outcome.error);
        refused.push({ message: row.message, error: outcome.error });
      }
    }
    return { status: 'drained', published, refused, more: this.#due(pass).length > 0 };
  }

  /** What can be tried now: a key with a message that is not taken has that one alone, once its time has come. */
  #due({ destination, partition }: Pick<DrainPass, 'destination' | 'partition'>): Row[] {
    const own = this.#rowsOf(partition).filter((row) => row.destination === destination);
    const refused = own.filter(({ refusal }) => refusal !== undefined);
    const heldKeys = new Set(refused.map(({ message }) => message.key));
    return own.filter(({ message, refusal }) =>
      refusal ? refusal.retryAtMs <= this.#clock.now() : !heldKeys.has(message.key),
    );
  }

  #refuse(row: Row, error: EventError): void {
    const attempts = (row.refusal?.attempts ?? 0) + 1;
    const nowMs = this.#clock.now();
    row.refusal = {
      error,
      attempts,
      refusedAtMs: row.refusal?.refusedAtMs ?? nowMs,
      retryAtMs: nowMs + retryDelayMs(attempts, error.retryable),
    };
  }

  #forget(row: Row): void {
    const rows = this.#rowsOf(partitionOf(row.message.key));
    rows.splice(rows.indexOf(row), 1);
  }

  #refused(rows: readonly Row[]): RefusedMessage[] {
    return rows
      .flatMap(({ id, destination, message, refusal }) => {
        if (!refusal) return [];
        const { error, attempts, refusedAtMs, retryAtMs } = refusal;
        return {
          id: String(id),
          destination,
          eventId: message.id,
          eventType: message.type,
          key: message.key,
          reason: error.message,
          errorCode: error.code,
          retryable: error.retryable,
          attempts,
          refusedAt: new Date(refusedAtMs),
          retryAt: new Date(retryAtMs),
        };
      })
      .slice(0, maxRefused);
  }

  #relayedAgoMs(destination: string): number | null {
    const relayedAtMs = this.#relayedAtMs.get(destination);
    return relayedAtMs === undefined ? null : this.#clock.now() - relayedAtMs;
  }

  #insert(rows: readonly Row[]): void {
    for (const row of rows) this.#rowsOf(partitionOf(row.message.key)).push(row);
    for (const wake of this.#listeners) wake();
  }

  #rowsOf(partition: number): Row[] {
    let rows = this.#partitions.get(partition);
    if (!rows) this.#partitions.set(partition, (rows = []));
    return rows;
  }

  #all(): Row[] {
    return [...this.#partitions.values()].flat().sort((a, b) => a.id - b.id);
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
