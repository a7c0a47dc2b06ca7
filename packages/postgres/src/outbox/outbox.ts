import { systemClock } from '@waybill/core';
import {
  assertKnownOptions,
  type OptionNames,
  assertName,
  assertRange,
  assertTransactionChoice,
  maxTimerMs,
  partitionCount,
} from '@waybill/core/adapter';
import type { Clock, Outbox, OutboxStatus } from '@waybill/core';
import type {
  DrainOutcome,
  DrainPass,
  Message,
  OutboxAddOptions,
  Publish,
  RelayOrders,
} from '@waybill/core/adapter';

import { chosenDatabase } from '../client/chosen-database.ts';
import { channelName, lockSpace } from '../client/lock-key.ts';
import { OutboxDestinations } from './outbox-destinations.ts';
import { OutboxHorizon } from './outbox-horizon.ts';
import { OutboxPass } from './outbox-pass.ts';
import type { Drained } from './outbox-pass.ts';
import { OutboxRefusals } from './outbox-refusals.ts';
import { OutboxRows, outboxTables } from './outbox-rows.ts';
import type { OutboxPart, PartLocks, ScanStart } from './outbox-rows.ts';
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

/** A frozen relay loses its partition so much later, at most, than its publish would have failed. */
const maxGraceMs = 5_000;
/** Rows that came in some other way than through `add` are found after this long. */
const fullScanEveryMs = 5_000;

const knownOptions: OptionNames<PostgresOutboxOptions> = {
  client: true,
  schema: true,
  publishTimeoutMs: true,
  maxBatchBytes: true,
  noticeEveryMs: true,
  clock: true,
};

/** What the outboxes over one embedded database share, since it has no other process to tell. */
class Neighbours {
  readonly draining = new Set<string>();
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
  readonly #pass: OutboxPass;
  readonly #refusals: OutboxRefusals;
  readonly #destinations: OutboxDestinations;
  readonly #schema: string;
  readonly #publishTimeoutMs: number;
  readonly #channel: string;
  readonly #notice: ThrottledNotice;
  readonly #neighbours: Neighbours;
  readonly #horizon = new OutboxHorizon();
  /** By destination and partition. */
  readonly #settledIds = new Map<string, bigint>();
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
    const tables = outboxTables(schema);
    this.#rows = new OutboxRows(tables, maxBatchBytes);
    this.#refusals = new OutboxRefusals(tables, maxBatchBytes);
    this.#pass = new OutboxPass({
      rows: this.#rows,
      refusals: this.#refusals,
      clock,
      timeoutMs: publishTimeoutMs,
    });
    this.#destinations = new OutboxDestinations(tables);
    this.#schema = schema;
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
  async add(messages: readonly Message[], options: OutboxAddOptions): Promise<void> {
    assertTransactionChoice('add', options, { destination: true });
    const { destination } = options;
    assertName('a destination', destination);
    if (messages.length === 0) return;
    await this.#rows.insert(await chosenDatabase(this.#client, options), messages, destination);
    this.#announce();
  }

  async drain(pass: DrainPass, publish: Publish): Promise<DrainOutcome> {
    if (this.#client.dialect === 'pglite') return await this.#drainAlone(pass, publish);
    return await this.#drainLocked(pass, publish);
  }

  async waitingPartitions(destination: string): Promise<number[]> {
    const full = this.#fullScanIsDue();
    const starts = Array.from({ length: partitionCount }, (_, partition) =>
      full ? { partition, fromId: 0n } : this.#scanStart({ destination, partition }),
    );
    return await this.#rows.waiting(this.#client, destination, starts);
  }

  async status(): Promise<OutboxStatus> {
    return await this.#destinations.status(this.#client);
  }

  async checkIn(destination: string): Promise<RelayOrders> {
    return await this.#destinations.checkIn(this.#client, destination);
  }

  async keepMarker(destination: string, marker: string): Promise<string> {
    return await this.#destinations.keepMarker(this.#client, destination, marker);
  }

  async listen(wake: () => void): Promise<() => Promise<void>> {
    if (this.#client.dialect === 'postgres') return await this.#client.listen(this.#channel, wake);
    const own = (): void => wake();
    this.#neighbours.listeners.add(own);
    return async () => void this.#neighbours.listeners.delete(own);
  }

  async #drainLocked(pass: DrainPass, publish: Publish): Promise<DrainOutcome> {
    const idleTimeoutMs = this.#publishTimeoutMs + Math.min(this.#publishTimeoutMs, maxGraceMs);
    let done: { drained: Drained; settledId: bigint } | undefined;
    await this.#client.run(
      async (tx) => {
        const sighting = await this.#rows.tryLock(tx, this.#locksOf(pass), pass);
        if (!sighting.taken) return;
        const settledId = this.#horizon.observe(sighting);
        const part = { ...pass, ...this.#scanStart(pass) };
        done = { drained: await this.#pass.drain(tx, part, sighting, publish), settledId };
      },
      // Else a relay to a log of the same database would wait for itself on a pool of one.
      { idleTimeoutMs, lends: true },
    );
    if (!done) return { status: 'busy' };
    const { drained, settledId } = done;
    this.#raiseBound(pass, drained, settledId);
    return drained.outcome;
  }

  /** Without a transaction around the publish: it would keep every other statement waiting. */
  async #drainAlone(pass: DrainPass, publish: Publish): Promise<DrainOutcome> {
    const { draining } = this.#neighbours;
    const name = nameOf(pass);
    if (draining.has(name)) return { status: 'busy' };
    draining.add(name);
    try {
      const state = await this.#refusals.stateOf(this.#client, pass);
      const part = { ...pass, fromId: 0n };
      return (await this.#pass.drain(this.#client, part, state, publish)).outcome;
    } finally {
      draining.delete(name);
    }
  }

  #locksOf({ destination }: OutboxPart): PartLocks {
    return {
      shared: lockSpace('outbox', this.#schema),
      own: lockSpace('outbox', this.#schema, destination),
    };
  }

  #scanStart({ destination, partition }: OutboxPart): ScanStart {
    const part = { destination, partition };
    return { partition, fromId: (this.#settledIds.get(nameOf(part)) ?? -1n) + 1n };
  }

  /** Only what is settled, and was seen and published, need not be looked at again. */
  #raiseBound(part: OutboxPart, { batch: { ids, full }, clean }: Drained, settledId: bigint): void {
    if (!clean) return;
    const seenId = full ? ids.at(-1)! : settledId;
    const bound = seenId < settledId ? seenId : settledId;
    const name = nameOf(part);
    if (bound > (this.#settledIds.get(name) ?? 0n)) this.#settledIds.set(name, bound);
  }

  #fullScanIsDue(): boolean {
    const now = this.#clock.now();
    // A clock that was put back must not keep it from looking.
    if (Math.abs(now - this.#lastFullScanMs) < fullScanEveryMs) return false;
    this.#lastFullScanMs = now;
    this.#settledIds.clear();
    return true;
  }

  #announce(): void {
    if (this.#client.dialect === 'postgres') this.#notice.send();
    else for (const wake of this.#neighbours.listeners) wake();
  }
}

function nameOf({ destination, partition }: OutboxPart): string {
  return `${partition} ${destination}`;
}
