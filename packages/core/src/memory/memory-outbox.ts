import { systemClock, type Clock } from '../clock.ts';
import type { DrainOutcome, Outbox, OutboxStatus } from '../publish/outbox.ts';
import { partitionOf } from '../partition.ts';
import type { TransactionChoice } from '../transaction.ts';
import type { Message } from '../event/message.ts';
import { MemoryDatabase } from './memory-database.ts';

interface Row {
  readonly message: Message;
  readonly addedAtMs: number;
}

/** An outbox that lives as long as the process. */
export class MemoryOutbox implements Outbox {
  readonly #database: MemoryDatabase;
  readonly #clock: Clock;
  /** Committed rows of each partition, oldest first. */
  readonly #partitions = new Map<number, Row[]>();
  readonly #draining = new Set<number>();
  readonly #listeners = new Set<() => void>();

  constructor(
    database: MemoryDatabase = new MemoryDatabase(),
    { clock = systemClock }: { clock?: Clock } = {},
  ) {
    this.#database = database;
    this.#clock = clock;
  }

  async add(messages: readonly Message[], options?: TransactionChoice): Promise<void> {
    if (messages.length === 0) return;
    await this.#database.join(options, (tx) => {
      const rows = messages.map((message) => ({ message, addedAtMs: this.#clock.now() }));
      tx.onCommit(() => this.#insert(rows));
    });
  }

  async drain(
    partition: number,
    limit: number,
    publish: (messages: readonly Message[]) => Promise<unknown>,
  ): Promise<DrainOutcome> {
    if (this.#draining.has(partition)) return { status: 'busy' };
    this.#draining.add(partition);
    try {
      const rows = this.#rowsOf(partition);
      const oldest = rows.slice(0, limit);
      if (oldest.length > 0) await publish(oldest.map(({ message }) => message));
      rows.splice(0, oldest.length);
      return { status: 'drained', published: oldest.length, more: rows.length > 0 };
    } finally {
      this.#draining.delete(partition);
    }
  }

  async waitingPartitions(): Promise<number[]> {
    const waiting = [...this.#partitions].filter(([, rows]) => rows.length > 0);
    return waiting.map(([partition]) => partition).sort((a, b) => a - b);
  }

  async status(): Promise<OutboxStatus> {
    const rows = [...this.#partitions.values()].flat();
    const oldest = Math.min(...rows.map(({ addedAtMs }) => addedAtMs));
    return {
      waiting: rows.length,
      oldestAgeMs: rows.length === 0 ? null : this.#clock.now() - oldest,
    };
  }

  async listen(wake: () => void): Promise<() => Promise<void>> {
    this.#listeners.add(wake);
    return async () => void this.#listeners.delete(wake);
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
}
