import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openPostgres, RedisStreamEventBus, type SqlClient } from '@quickwms/events';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createTestDatabase, hasPostgres } from '../../../scripts/services/test-database.ts';
import {
  canStartRedis,
  startTestRedis,
  type TestRedis,
} from '../../../scripts/services/test-redis.ts';
import { isAlive, waitUntil } from '../../../scripts/wait-until.ts';
import { services } from '../src/services/index.ts';
import { readOutcome, type Outcome } from './outcome.ts';
import { runProcess, startProcess } from './run-process.ts';
import { writeSmallInput, type InputFiles } from './small-input.ts';

/** Each of these starts sixteen processes, some of them again and again. */
const patienceMs = 240_000;

/** After this long the supervisor kills what has not stopped, which a slow machine may come to see. */
const stopMs = 20_000;

/**
 * What was written is safe when Redis is killed. With `no` it writes before it answers; with `everysec`, up
 * to two seconds later while the disk is busy.
 */
const durable = { appendfsync: 'no' };

const canRun = hasPostgres() && (await canStartRedis());

describe.skipIf(!canRun)('npm start -- --distributed', () => {
  let folder: string;
  let files: InputFiles;
  let redis: TestRedis;
  let embedded: Outcome;
  /** Of one test: where its servers are, and what its streams are named. */
  let servers: Record<string, string>;
  let database: SqlClient;
  let streams: string;
  let tests = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waybill-distributed-'));
    files = await writeSmallInput(folder);
    redis = await startTestRedis({ settings: durable });
    const dataFolder = join(folder, 'embedded');
    const ended = await runProcess('src/main.ts', [
      '--data',
      dataFolder,
      '--manifest',
      files.manifest,
      '--orders',
      files.orders,
    ]);
    expect(ended).toMatchObject({ code: 0 });
    embedded = await readOutcome({ dataFolder });
  }, patienceMs);
  afterAll(async () => {
    await redis?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const { url, drop } = await createTestDatabase();
    onTestFinished(drop);
    servers = { DATABASE_URL: url, REDIS_URL: redis.url };
    database = openPostgres({ connectionString: url });
    onTestFinished(() => database.close());
    streams = `test-${(tests += 1)}:`;
  });

  const options = () => [
    '--distributed',
    '--streams',
    streams,
    '--data',
    join(folder, 'distributed'),
    '--manifest',
    files.manifest,
    '--orders',
    files.orders,
  ];
  const outcome = () => readOutcome({ dataFolder: '', url: servers.DATABASE_URL! });

  async function countEvents(): Promise<number> {
    const counting = 'SELECT count(*)::int AS count FROM warehouse.event_store';
    const counted = database.query<{ count: number }>(counting);
    return counted.then(
      ({ rows }) => rows[0]!.count,
      () => 0, // it has not begun
    );
  }

  async function waitForEvents(count: number): Promise<void> {
    const areThere = async () => (await countEvents()) > count;
    await waitUntil(`there are more than ${count} events`, areThere, patienceMs);
  }

  /** What is stored may still be on its way to Redis, which cannot lose it then. */
  async function waitForEntries(count: number): Promise<void> {
    await waitForEvents(count);
    const areThere = async () => (await countEntries()) > count;
    await waitUntil(`there are more than ${count} entries on Redis`, areThere, patienceMs);
  }

  it(
    'ends as the run in one process does',
    async () => {
      const ended = await runProcess('src/main.ts', options(), servers);

      expect(ended).toMatchObject({ code: 0, signal: null });
      expect(ended.stdout).toContain('✓ Conserved');
      expect(ended.stdout).toContain('No dead letters.');
      expect(ended.stderr).not.toContain('started again');
      expect(await outcome()).toEqual(embedded);
    },
    patienceMs,
  );

  it(
    'ends as if nothing had happened when services are killed, one while it relays, and Redis as well',
    async () => {
      const deaths = join(folder, 'deaths');
      await mkdir(deaths);
      const { child, ended } = startProcess(
        'test/dying-services.ts',
        [files.manifest, files.orders, streams],
        { ...servers, DEATHS: deaths },
      );
      onTestFinished(() => void child.kill('SIGKILL'));

      await waitUntil(
        'three services were killed',
        async () => (await readdir(deaths)).length === 3,
        patienceMs,
      );
      await redis.kill();
      const eventsAtKill = await countEvents();
      await redis.restart({ keepData: true });
      const { code, stderr } = await ended;

      expect({ code, stderr }).toMatchObject({ code: 0 });
      for (const service of ['quickintakez', 'quickfulfillment', 'quickgradez']) {
        expect(stderr).toContain(`${service} was ended by SIGKILL, and is started again`);
      }
      expect(await readFile(join(deaths, 'quickgradez'), 'utf8')).toMatch(/^\d+ of \d+ messages/);
      const ofOutcome = await outcome();
      expect(ofOutcome).toEqual(embedded);
      const events = await countEvents();
      expect(eventsAtKill).toBeLessThan(events);
      // What was published and not forgotten was published once more, and had no second effect.
      expect(await countEntries()).toBeGreaterThan(events);
    },
    patienceMs,
  );

  async function countEntries(): Promise<number> {
    const bus = new RedisStreamEventBus({
      redis: redis.url,
      serviceName: 'test',
      streamPrefix: streams,
    });
    try {
      await bus.connect();
      const inspected = await bus.transport.inspect();
      return inspected.streams.reduce((sum, { length }) => sum + length, 0);
    } finally {
      await bus.shutdown();
    }
  }

  it(
    'leaves no process behind when it is killed or interrupted, and goes on with the next start',
    async () => {
      const killed = startProcess('src/main.ts', options(), servers);
      await waitForEvents(100);
      const orphans = await childrenOf(killed.child.pid!);
      killed.child.kill('SIGKILL');
      expect(await killed.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
      expect(orphans).toHaveLength(services.length);
      await waitUntil('no service is left', () => !orphans.some(isAlive), patienceMs);

      const interrupted = startProcess('src/main.ts', options(), servers);
      const eventsBefore = await countEvents();
      await waitForEvents(eventsBefore + 100);
      const children = await childrenOf(interrupted.child.pid!);
      interrupted.child.kill('SIGINT');
      const { code, stderr, stdout } = await interrupted.ended;
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(stderr).toContain('Going on with a run that was interrupted');
      expect(stderr).toContain('Interrupted. Start again to go on from here.');
      expect(children).toHaveLength(services.length);
      expect(children.filter(isAlive)).toEqual([]);

      const resumed = await runProcess('src/main.ts', options(), servers);
      expect(resumed).toMatchObject({ code: 0 });
      expect(resumed.stderr).toContain('Going on with a run that was interrupted');
      expect(await outcome()).toEqual(embedded);
    },
    patienceMs,
  );

  it(
    'waits for a service that does not stop, until it is interrupted once more',
    async () => {
      const { child, ended } = startProcess('src/main.ts', options(), servers);
      await waitForEvents(0);
      const [frozen, ...others] = await childrenOf(child.pid!);
      process.kill(frozen!, 'SIGSTOP');
      const askedAt = performance.now();
      child.kill('SIGINT');
      await waitUntil('the others have stopped', () => !others.some(isAlive), patienceMs);
      const isOverdue = performance.now() - askedAt > stopMs;
      expect(isAlive(frozen!) || isOverdue).toBe(true);

      child.kill('SIGINT');
      expect(await ended).toMatchObject({ code: 130, stdout: '' });
      await waitUntil('the last one is killed', () => !isAlive(frozen!), patienceMs);
    },
    patienceMs,
  );

  it(
    'notices when it goes on that Redis has lost what nobody remembers, and fails',
    async () => {
      const interrupted = startProcess('src/main.ts', options(), servers);
      await waitForEntries(100);
      interrupted.child.kill('SIGTERM');
      expect(await interrupted.ended).toMatchObject({ code: 130 });
      await redis.restart({ keepData: false });

      const { code, stderr } = await runProcess('src/main.ts', options(), servers);
      expect({ code, stderr }).toMatchObject({ code: 1 });
      expect(stderr).toMatch(/Redis has lost \d+ of \d+ events that were published/);
    },
    patienceMs,
  );

  it(
    'says what Redis has lost, and fails',
    async () => {
      const { child, ended } = startProcess('src/main.ts', options(), servers);
      onTestFinished(() => void child.kill('SIGKILL'));
      await waitForEntries(100);
      await redis.kill();
      await redis.restart({ keepData: false });

      const { code, stderr } = await ended;
      expect({ code, stderr }).toMatchObject({ code: 1 });
      expect(stderr).toMatch(/Redis has lost everything behind \S+ up to \S+ of test-\d:item/);
    },
    patienceMs,
  );
});

async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,comm=']);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  // ps itself is not one of them: it is a child of this process.
  return lines.filter(([, parent]) => Number(parent) === pid).map(([child]) => Number(child));
}
