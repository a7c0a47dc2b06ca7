import { checkLedger, spawnWorker, startLedger } from '@waybill/testing';
import type { Expected, Ledger, LedgerEntry, LedgerVerdict, WorkerProcess } from '@waybill/testing';

import { waitUntil } from '../../../../scripts/wait-until.ts';
import { createCrashDatabase, type CrashDatabase } from '../../support/crash-database.ts';
import { deadLettersIn } from '../../support/effects.ts';
import { idsUpTo } from '../../support/test-events.ts';
import type { ConsumeStreamsArgs } from '../workers/consume-streams.ts';
import { StreamPlace } from './stream-place.ts';

type WorkerChoices = Partial<Omit<ConsumeStreamsArgs, 'name'>>;

/** Worker processes of the group `stock` on streams, a database for their effects, and a ledger. */
export class StreamWorkers {
  readonly place: StreamPlace = new StreamPlace();
  readonly database: CrashDatabase;
  readonly ledger: Ledger;
  readonly #common: WorkerChoices;

  private constructor(database: CrashDatabase, ledger: Ledger, common: WorkerChoices) {
    this.database = database;
    this.ledger = ledger;
    this.#common = common;
  }

  /** @param common What all workers have in common. */
  static async create(common: WorkerChoices): Promise<StreamWorkers> {
    return new StreamWorkers(await createCrashDatabase(), await startLedger(), common);
  }

  /** Starts a process that consumes until SIGTERM. */
  start(name: string, choices: WorkerChoices = {}): WorkerProcess {
    const { redisUrl, prefix } = this.place;
    const where = { redisUrl, prefix, databaseUrl: this.database.url, ledgerUrl: this.ledger.url };
    const usual = { claimMs: 1_000, until: 'told' } as const;
    const args: ConsumeStreamsArgs = { ...where, ...usual, ...this.#common, ...choices, name };
    return spawnWorker(new URL('../workers/consume-streams.ts', import.meta.url), args);
  }

  /** Starts one and waits until it consumes. */
  async ready(name: string, choices: WorkerChoices = {}): Promise<WorkerProcess> {
    const worker = this.start(name, choices);
    await worker.message('ready');
    return worker;
  }

  effects(): Promise<string[]> {
    return this.database.column('movements', 'event_id', 'row_id');
  }

  /** Waits until every event up to `count` is handled and settled. */
  async finished(count: number): Promise<void> {
    await waitUntil('everything is handled', async () => {
      const handled = (await this.ledger.entries()).filter(({ kind }) => kind === 'handled');
      return new Set(handled.map(({ eventId }) => eventId)).size === count;
    });
    await waitUntil('everything is settled', async () => {
      return (await this.place.pending('stock')).length === 0;
    });
  }

  /** What the ledger and the tables say about the events 1 to `count`. */
  async verdict(count: number, expected: Partial<Expected> = {}): Promise<LedgerVerdict> {
    const found = (kind: LedgerEntry['kind'], ids: readonly string[]): LedgerEntry[] =>
      ids.map((eventId) => ({ kind, group: 'stock', eventId }));
    const entries = [
      ...(await this.ledger.entries()),
      ...found('applied', await this.effects()),
      ...found('dead-lettered', await deadLettersIn(this.database)),
    ];
    const committed = idsUpTo(count);
    return checkLedger(entries, {
      groups: ['stock'],
      onceGroups: ['stock'],
      committed,
      ...expected,
    });
  }

  async close(): Promise<void> {
    await this.ledger.stop();
    await this.place.close();
    await this.database.drop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Asks a worker to stop. @returns Ids of the events that it says it has not finished. */
export async function stopped(worker: WorkerProcess): Promise<string[]> {
  worker.signal('SIGTERM');
  const { unfinished } = await worker.message<{ unfinished: string[] }>('stopped');
  await worker.finished();
  return unfinished;
}
