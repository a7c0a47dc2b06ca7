import { PostgresDeadLetterQueue } from '@waybill/postgres';
import { RedisDeadLetterQueue } from '@waybill/redis';
import { checkLedger, recordPoints, spawnWorker, startLedger, sweep } from '@waybill/testing';
import type {
  Ledger,
  LedgerEntry,
  LedgerEntryKind,
  LedgerVerdict,
  SweepReport,
  SweptWorld,
} from '@waybill/testing';
import { describe, expect, it } from 'vitest';

import { hasPostgres } from '../../../scripts/services/test-database.ts';
import { hasRedis } from '../../../scripts/services/test-redis.ts';
import { createCrashDatabase } from '../support/crash-database.ts';
import { sweepTimeoutMs } from '../support/sweeping.ts';
import { draftOf, idsUpTo } from '../support/test-events.ts';
import { StreamPlace } from './support/stream-place.ts';
import type { ConsumeStreamsArgs } from './workers/consume-streams.ts';
import type { RelayStreamsArgs } from './workers/relay-streams.ts';

const count = 3;
/** Long enough that a claim is beyond doubt, and what is settled is acknowledged without a question. */
const longClaimMs = 60_000;
/** Whoever follows on a process that died does not wait for long. */
const shortClaimMs = 150;

type Told<T> = (what: T) => void;

/** Receives items and relays their events at once. @param told Hears how many a death leaves to be repeated. */
async function relayWorld(ledger: Ledger, told: Told<number>): Promise<SweptWorld> {
  const database = await createCrashDatabase();
  const place = new StreamPlace();
  const { length: before } = await ledger.entries();
  const waiting = () => database.column('outbox', 'event_id');
  let toRepeat = 0;
  return {
    start(plan) {
      const { redisUrl, prefix } = place;
      const where = { redisUrl, prefix, databaseUrl: database.url, ledgerUrl: ledger.url };
      const args: RelayStreamsArgs = { ...where, claimMs: longClaimMs, count, plan };
      return spawnWorker(new URL('workers/relay-streams.ts', import.meta.url), args);
    },
    async checkAfterDeath() {
      const left = await waiting();
      toRepeat = (await place.eventIds()).filter((id) => left.includes(id)).length;
      told(toRepeat);
    },
    async check() {
      expect(await waiting()).toEqual([]);
      expect(await database.column('event_store', 'event_id')).toEqual(idsUpTo(count));
      expect(await database.column('receipts', 'event_id')).toEqual(idsUpTo(count));
      const ids = await place.eventIds();
      expect(ids).toHaveLength(count + toRepeat);
      const published = (await ledger.entries()).slice(before);
      const { violations } = checkLedger([...published, ...asHandled([...new Set(ids)])], {
        groups: ['stream'],
        committed: idsUpTo(count),
      });
      expect(violations).toEqual([]);
    },
    async close() {
      await place.close();
      await database.drop();
    },
  };
}

/** The ledger's view of a stream, as if a group had handled what is in it. */
function asHandled(ids: readonly string[]): LedgerEntry[] {
  return ids.map((eventId) => {
    const { subject: key, data } = draftOf(Number(eventId.slice(1)));
    return { kind: 'handled', group: 'stream', eventId, key, ...data };
  });
}

/** What a world of consumers is like. */
interface ConsumeChoices {
  /** Every event fails. */
  readonly failing?: boolean;
  /** Without a database there is no inbox, and dead letters are on Redis. */
  readonly database?: boolean;
}

/** @param told Hears the verdict on each world, whose promises all held. */
async function consumeWorld(
  ledger: Ledger,
  { failing = false, database: hasDatabase = true }: ConsumeChoices,
  told: Told<LedgerVerdict> = () => {},
): Promise<SweptWorld> {
  const database = hasDatabase ? await createCrashDatabase() : undefined;
  const place = new StreamPlace();
  await place.fill(count);
  const { length: before } = await ledger.entries();
  const entries = async (): Promise<LedgerEntry[]> => (await ledger.entries()).slice(before);
  const found = (kind: LedgerEntryKind, ids: readonly string[]): LedgerEntry[] =>
    ids.map((eventId) => ({ kind, group: 'stock', eventId }));
  const deadLetters = database
    ? new PostgresDeadLetterQueue({ client: database.client })
    : new RedisDeadLetterQueue({ redis: place.redis, streamPrefix: place.prefix });
  let started = 0;
  let handledBeforeDeath = 0;
  return {
    start(plan) {
      const { redisUrl, prefix } = place;
      const where = { redisUrl, prefix, databaseUrl: database?.url, ledgerUrl: ledger.url };
      const name = `worker-${(started += 1)}`;
      // Who takes over decides how long a silence is too long.
      const claimMs = started === 1 ? longClaimMs : shortClaimMs;
      const run = { name, claimMs, until: 'caught-up', failing, plan } as const;
      const args: ConsumeStreamsArgs = { ...where, ...run };
      return spawnWorker(new URL('workers/consume-streams.ts', import.meta.url), args);
    },
    async checkAfterDeath() {
      handledBeforeDeath = (await entries()).length;
    },
    async check() {
      const letters = (await deadLetters.list()).map(({ eventId = '' }) => eventId);
      expect(letters.toSorted()).toEqual(failing ? idsUpTo(count) : []);
      const effects = (await database?.column('movements', 'event_id')) ?? [];
      const all = [
        ...(await entries()),
        ...found('applied', effects),
        ...found('dead-lettered', letters),
      ];
      const verdict = checkLedger(all, {
        groups: ['stock'],
        committed: idsUpTo(count),
        onceGroups: database ? ['stock'] : [],
        maxDuplicates: handledBeforeDeath,
      });
      expect(verdict.violations).toEqual([]);
      expect(await place.pending('stock')).toEqual([]);
      told(verdict);
    },
    async close() {
      await place.close();
      await database?.drop();
    },
  };
}

/** Sweeps the points of a recorded run that `isWanted`; of those of one name the first unless it says more. */
async function sweepOnce(
  world: () => Promise<SweptWorld>,
  isWanted: (point: string) => boolean = (point) => !point.includes('#'),
): Promise<SweepReport> {
  const recorded = await world();
  const points = await recordPoints(recorded);
  await recorded.check(undefined);
  await recorded.close();
  return await sweep({ world, points: points.filter(isWanted), mayBeMissed: dependsOnTimer });
}

/** Reads, takeovers and clearing up come as often as their timers say; so do commits of nothing. */
function dependsOnTimer(point: string): boolean {
  return /^(XREADGROUP|SCRIPT \(X|COMMIT$|COMMIT #)/.test(point);
}

const survives = (...points: string[]) =>
  expect.arrayContaining(points.flatMap((point) => [`before ${point}`, `after ${point}`]));

describe.skipIf(!hasRedis() || !hasPostgres())(
  'a process that is killed at any write',
  { concurrent: true, timeout: sweepTimeoutMs },
  () => {
    it('puts what was committed onto its stream, in order, and repeats little', async () => {
      await using ledger = await startLedger();
      const repeats: number[] = [];
      const { survived } = await sweepOnce(
        () => relayWorld(ledger, (batch) => repeats.push(batch)),
        (point) => !point.includes('#') || /^publish.*#2/.test(point),
      );

      expect(survived).toEqual(
        survives(
          'COMMIT (INSERT receipts, INSERT event_store, INSERT outbox)',
          'publish item.received',
          'DELETE outbox',
          'COMMIT (DELETE outbox)',
          'publish item.received #2',
        ),
      );
      expect(repeats).toContain(0);
      expect(Math.max(...repeats)).toBeGreaterThan(0);
      expect(Math.max(...repeats)).toBeLessThanOrEqual(count);
    });

    it('has each effect exactly once with an inbox', async () => {
      await using ledger = await startLedger();
      const repeats: number[] = [];
      const told = ({ duplicates }: LedgerVerdict): void => void repeats.push(duplicates.size);
      const { survived } = await sweepOnce(() => consumeWorld(ledger, {}, told));

      expect(survived).toEqual(
        survives(
          'XREADGROUP',
          'INSERT movements',
          'COMMIT (INSERT inbox, INSERT movements)',
          'settle item.received',
          'SCRIPT (XACK)',
          'close stock',
          'SCRIPT (XCLAIM, XGROUP DELCONSUMER)',
        ),
      );
      // A handler that has ended, and whose transaction has not, runs again.
      expect(Math.max(...repeats)).toBe(1);
    });

    it('leaves one dead letter of each event that fails, in PostgreSQL', async () => {
      await using ledger = await startLedger();
      const { survived } = await sweepOnce(
        () => consumeWorld(ledger, { failing: true }),
        (point) => /^(INSERT event_dlq|settle item.received|SCRIPT \(XACK\))$/.test(point),
      );

      expect(survived).toEqual(
        survives('INSERT event_dlq', 'settle item.received', 'SCRIPT (XACK)'),
      );
    });

    it('leaves one dead letter of each event that fails, on Redis', async () => {
      await using ledger = await startLedger();
      const isAdding = (point: string): boolean => /^SCRIPT [^#]*XADD[^#]*$/.test(point);
      const { survived } = await sweepOnce(
        () => consumeWorld(ledger, { failing: true, database: false }),
        (point) => isAdding(point) || /^(settle item.received|SCRIPT \(XACK\))$/.test(point),
      );

      expect(survived).toEqual(survives('settle item.received', 'SCRIPT (XACK)'));
      expect(survived.filter((crash) => crash.includes('XADD'))).toHaveLength(2);
    });
  },
);
