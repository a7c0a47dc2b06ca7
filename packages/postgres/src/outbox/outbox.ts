import { EventError, systemClock } from '@waybill/core';
import {
  assertKnownOptions,
  assertRange,
  assertTransactionChoice,
  chosenTransaction,
  maxTimerMs,
  partitionCount,
} from '@waybill/core/adapter';
import type { Clock, Outbox, OutboxStatus, TransactionChoice } from '@waybill/core';
import type { DrainOutcome, Message } from '@waybill/core/adapter';

import { joinable } from '../client/joinable.ts';
import { channelName, lockSpace } from '../client/lock-key.ts';
import { OutboxHorizon } from './outbox-horizon.ts';
import { OutboxRows } from './outbox-rows.ts';
import type { OutboxBatch, ScanStart } from './outbox-rows.ts';
import { PerClient } from '../client/per-client.ts';
import { defaultNames } from '../client/sql-names.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { ThrottledNotice } from '../client/throttled-notice.ts';

export interface PostgresOutboxOptions {
  readonly client: SqlClient;
  /** Schema of the tables; `public` unless given. */
  readonly schema?: string;
  /** How long a batch may take to be published, in milliseconds; 30,000 unless given. */
  readonly publishTimeoutMs?: number;
  /** A batch ends at about this size, in bytes; 8 MiB unless given. */
  readonly maxBatchBytes?: number;
  /** Shortest time between two notices to other processes, in milliseconds; 100 unless given. */
  readonly noticeEveryMs?: number;
  readonly clock?: Clock;
}

type Publish = (messages: readonly Message[]) => Promise<unknown>;

/** A frozen relay loses its partition so much later, at most, than its publish would have failed. */
const maxGraceMs = 5_000;
/** Rows that came in some other way than through `add` are found after this long. */
const fullScanEveryMs = 5_000;

const knownOptions: readonly (keyof PostgresOutboxOptions)[] = [
  'client',
  'schema',
  'publishTimeoutMs',
  'maxBatchBytes',
  'noticeEveryMs',
  'clock',
];

/** What the outboxes over one embedded database share, since it has no other process to tell. */
class Neighbours {
  readonly draining = new Set<number>();
  readonly listeners = new Set<() => void>();
}

const neighbours = new PerClient(() => new Neighbours());

/**
 * An outbox in the database of the business data.
 *
 * A relay holds a partition by a lock of its transaction: a process that dies frees it at once, one
 * that freezes when the server ends its idle transaction. On an embedded database, whose only
 * connection must not be kept waiting, a lock within the process takes its place.
 */
export class PostgresOutbox implements Outbox {
  readonly #client: SqlClient;
  readonly #clock: Clock;
  readonly #rows: OutboxRows;
  readonly #lockSpace: number;
  readonly #publishTimeoutMs: number;
  readonly #channel: string;
  readonly #notice: ThrottledNotice;
  readonly #neighbours: Neighbours;
  readonly #horizon = new OutboxHorizon();
  readonly #settledIds = new Map<number, bigint>();
  #lastFullScanMs: number;

  /** @throws {TypeError} If the schema is no name, a length is out of range, or an option is not known. */
  constructor(options: PostgresOutboxOptions) {
    assertKnownOptions('PostgresOutbox', options, knownOptions);
    const { client, schema = defaultNames.schema, clock = systemClock } = options;
    const { publishTimeoutMs = 30_000, maxBatchBytes = 8 * 2 ** 20, noticeEveryMs = 100 } = options;
    // The server's limit is the publish timeout and some grace, in a 32-bit integer as well.
    assertRange('PostgresOutbox', 'publishTimeoutMs', publishTimeoutMs, 1, maxTimerMs - maxGraceMs);
    assertRange('PostgresOutbox', 'maxBatchBytes', maxBatchBytes, 1, 2 ** 29);
    assertRange('PostgresOutbox', 'noticeEveryMs', noticeEveryMs, 1, maxTimerMs);
    this.#client = client;
    this.#clock = clock;
    this.#rows = new OutboxRows(schema, maxBatchBytes);
    this.#lockSpace = lockSpace('outbox', schema);
    this.#publishTimeoutMs = publishTimeoutMs;
    this.#channel = channelName('outbox', schema);
    this.#notice = new ThrottledNotice({
      client,
      channel: this.#channel,
      everyMs: noticeEveryMs,
      clock,
    });
    this.#neighbours = neighbours.of(client, schema);
    this.#lastFullScanMs = clock.now();
  }

  /**
   * @throws {EventError} `STORE_UNAVAILABLE`, `STORE_REJECTED`; `TX_FOREIGN` or `TX_FINISHED` if the
   *   transaction cannot be joined
   */
  async add(messages: readonly Message[], options?: TransactionChoice): Promise<void> {
    assertTransactionChoice('add', options);
    if (messages.length === 0) return;
    const tx = chosenTransaction(options);
    await this.#rows.insert(tx ? joinable(tx) : this.#client, messages);
    this.#announce();
  }

  async drain(partition: number, limit: number, publish: Publish): Promise<DrainOutcome> {
    if (this.#client.dialect === 'pglite') return await this.#drainAlone(partition, limit, publish);
    return await this.#drainLocked(partition, limit, publish);
  }

  async waitingPartitions(): Promise<number[]> {
    const full = this.#fullScanIsDue();
    const starts = Array.from({ length: partitionCount }, (_, partition) =>
      full ? { partition, fromId: 0n } : this.#scanStart(partition),
    );
    return await this.#rows.waiting(this.#client, starts);
  }

  async status(): Promise<OutboxStatus> {
    return await this.#rows.status(this.#client);
  }

  async listen(wake: () => void): Promise<() => Promise<void>> {
    if (this.#client.dialect === 'postgres') return await this.#client.listen(this.#channel, wake);
    const own = (): void => wake();
    this.#neighbours.listeners.add(own);
    return async () => void this.#neighbours.listeners.delete(own);
  }

  async #drainLocked(partition: number, limit: number, publish: Publish): Promise<DrainOutcome> {
    const idleTimeoutMs = this.#publishTimeoutMs + Math.min(this.#publishTimeoutMs, maxGraceMs);
    let done: { batch: OutboxBatch; settledId: bigint } | undefined;
    await this.#client.run(
      async (tx) => {
        const sighting = await this.#rows.tryLock(tx, this.#lockSpace, partition);
        if (!sighting.taken) return;
        const settledId = this.#horizon.observe(sighting);
        const batch = await this.#rows.oldest(tx, this.#scanStart(partition), limit);
        if (batch.ids.length > 0) {
          await this.#publishInTime(batch.messages, publish);
          await this.#rows.forget(tx, partition, batch.ids);
        }
        done = { batch, settledId };
      },
      { idleTimeoutMs },
    );
    if (!done) return { status: 'busy' };
    this.#raiseBound(partition, done.batch, done.settledId);
    return drained(done.batch);
  }

  /** Without a transaction around the publish: it would keep every other statement waiting. */
  async #drainAlone(partition: number, limit: number, publish: Publish): Promise<DrainOutcome> {
    const { draining } = this.#neighbours;
    if (draining.has(partition)) return { status: 'busy' };
    draining.add(partition);
    try {
      const batch = await this.#rows.oldest(this.#client, { partition, fromId: 0n }, limit);
      if (batch.ids.length > 0) {
        await this.#publishInTime(batch.messages, publish);
        await this.#rows.forget(this.#client, partition, batch.ids);
      }
      return drained(batch);
    } finally {
      draining.delete(partition);
    }
  }

  async #publishInTime(messages: readonly Message[], publish: Publish): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = this.#clock.schedule(this.#publishTimeoutMs, () =>
      reject(publishTooSlow(messages.length, this.#publishTimeoutMs)),
    );
    try {
      await Promise.race([publish(messages), late]);
    } finally {
      cancel();
    }
  }

  #scanStart(partition: number): ScanStart {
    return { partition, fromId: (this.#settledIds.get(partition) ?? -1n) + 1n };
  }

  /** Only what is settled, and was seen and published, need not be looked at again. */
  #raiseBound(partition: number, { ids, full }: OutboxBatch, settledId: bigint): void {
    const seenId = full ? ids.at(-1)! : settledId;
    const bound = seenId < settledId ? seenId : settledId;
    if (bound > (this.#settledIds.get(partition) ?? 0n)) this.#settledIds.set(partition, bound);
  }

  #fullScanIsDue(): boolean {
    const now = this.#clock.now();
    if (now - this.#lastFullScanMs < fullScanEveryMs) return false;
    this.#lastFullScanMs = now;
    this.#settledIds.clear();
    return true;
  }

  #announce(): void {
    if (this.#client.dialect === 'postgres') this.#notice.send();
    else for (const wake of this.#neighbours.listeners) wake();
  }
}

function drained({ ids, full }: OutboxBatch): DrainOutcome {
  return { status: 'drained', published: ids.length, more: full };
}

function publishTooSlow(count: number, timeoutMs: number): EventError {
  return new EventError(
    'TRANSPORT_UNAVAILABLE',
    `publishing ${count} messages from the outbox took longer than ${timeoutMs} ms; they stay there and are tried again`,
    { transport: 'unknown' },
  );
}
