import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '@waybill/core';
import { spawnWorker } from '@waybill/testing';
import type { WorkerProcess } from '@waybill/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import type { EmbeddedWorkerArgs } from '../../test/embedded-worker.ts';
import { openEmbedded } from './embedded.ts';
import { PostgresEventStore } from '../store/event-store.ts';
import { recordPath } from './owner-record.ts';
import { socketPath } from './owner-socket.ts';
import type { SqlClient } from '../client/sql-client.ts';

const worker = new URL('../../test/embedded-worker.ts', import.meta.url);

/** Several of these start processes that create a database, on a machine that is busy with other tests. */
const slowMs = 120_000;
vi.setConfig({ testTimeout: slowMs });

/** Creating a database takes seconds, copying one does not. */
let template: string;
beforeAll(async () => {
  template = await mkdtemp(join(tmpdir(), 'waybill-template-'));
  const client = await openEmbedded(template);
  await new PostgresEventStore({ client }).initialize();
  await client.close();
}, slowMs);
afterAll(() => rm(template, { recursive: true, force: true }));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'waybill-embedded-'));
  await cp(join(template, 'postgres'), join(directory, 'postgres'), { recursive: true });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function start(args: Partial<EmbeddedWorkerArgs> = {}): WorkerProcess {
  return spawnWorker(worker, { directory, ...args });
}

async function startOwner(args?: Partial<EmbeddedWorkerArgs>): Promise<WorkerProcess> {
  const owner = start(args);
  await owner.message('open');
  return owner;
}

/** Ids of all events that are there. */
async function storedIds(client: SqlClient): Promise<Set<string>> {
  const { rows } = await client.query<{ event_id: string }>('SELECT event_id FROM event_store');
  return new Set(rows.map((row) => row.event_id));
}

/** Every message that still comes from a worker that has ended. */
async function drainAcked(owner: WorkerProcess, acked: string[]): Promise<void> {
  try {
    for (;;) acked.push((await owner.message<{ id: string }>('acked')).id);
  } catch {
    // It has ended, and told everything.
  }
}

describe('an embedded directory', () => {
  it('keeps its rows from one opening to the next, for its owner alone', async () => {
    const first = await openEmbedded(directory);
    await first.query('CREATE TABLE kept (n INT)');
    await first.query('INSERT INTO kept VALUES ($1)', [1]);
    const socket = await socketPath(directory);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(socket)).mode & 0o777).toBe(0o600);
    expect((await stat(join(socket, '..'))).mode & 0o777).toBe(0o700);
    await first.close();
    expect(existsSync(socket)).toBe(false);
    expect(existsSync(recordPath(directory))).toBe(false);

    const second = await openEmbedded(directory);
    const { rows } = await second.query('SELECT n FROM kept');
    await second.close();
    expect(rows).toEqual([{ n: 1 }]);
  });

  it('refuses a second opener in the same process, and in another one, and names the owner', async () => {
    const owner = await openEmbedded(directory);
    await expect(openEmbedded(directory)).rejects.toMatchObject({
      code: 'DIRECTORY_HELD',
      details: { pid: process.pid },
    });
    await using other = start();
    const refused = await other.message<{ pid: number; message: string }>('refused');
    expect(refused.pid).toBe(process.pid);
    expect(refused.message).toMatch(/stop that one, use another directory, or use a PostgreSQL/);
    await other.finished();
    await owner.query('SELECT 1');
    await owner.close();
  });

  it('goes on for its owner while others are refused', async () => {
    await using owner = await startOwner({ write: true });
    await owner.message('acked');
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(openEmbedded(directory)).rejects.toMatchObject({
        code: 'DIRECTORY_HELD',
        details: { pid: owner.pid },
      });
    }
    await owner.kill();
    const acked: string[] = [];
    await drainAcked(owner, acked);
    const client = await openEmbedded(directory);
    expect([...(await storedIds(client))]).toEqual(expect.arrayContaining(acked));
    await client.close();
  });

  it('is held by an owner that is stopped, and goes on being its own afterwards', async () => {
    await using owner = await startOwner();
    owner.signal('SIGSTOP');
    await expect(openEmbedded(directory)).rejects.toMatchObject({
      code: 'DIRECTORY_HELD',
      details: { pid: owner.pid },
    });
    owner.signal('SIGCONT');
    await expect(openEmbedded(directory)).rejects.toMatchObject({ code: 'DIRECTORY_HELD' });
    expect(owner.running).toBe(true);
  });

  it.each([20, 120, 300])(
    'has every acknowledged row after its owner was killed at write %i',
    async (writes) => {
      await using owner = await startOwner({ write: true });
      const acked: string[] = [];
      while (acked.length < writes) {
        acked.push((await owner.message<{ id: string }>('acked')).id);
      }
      await owner.kill('SIGKILL');
      await drainAcked(owner, acked);
      expect(await owner.exit).toEqual({ code: null, signal: 'SIGKILL' });

      const client = await openEmbedded(directory);
      const stored = await storedIds(client);
      expect(acked.filter((id) => !stored.has(id))).toEqual([]);
      await client.close();
    },
  );

  it('goes to exactly one of several who come after a dead owner', async () => {
    const dead = await startOwner();
    await dead.kill();
    const openers = Array.from({ length: 4 }, () => start());
    try {
      const outcomes = await Promise.all(
        openers.map((opener) =>
          Promise.race([
            opener.message('open').then(() => 'open'),
            opener.message('refused').then(() => 'refused'),
          ]),
        ),
      );
      expect(outcomes.sort()).toEqual(['open', 'refused', 'refused', 'refused']);
    } finally {
      await Promise.all(openers.map((opener) => opener[Symbol.asyncDispose]()));
    }
  });

  it('is created anew when its first owner was killed while creating it', async () => {
    const created = join(directory, 'postgres');
    const isBegun = () => existsSync(join(directory, 'postgres.new', 'PG_VERSION'));
    // This process may see too late that it has begun: then the first owner was not killed in time.
    for (let tries = 0; existsSync(created) && tries < 5; tries += 1) {
      await rm(created, { recursive: true });
      const first = start();
      await first.message('started');
      while (!isBegun() && !existsSync(created)) await systemClock.sleep(5);
      await first.kill();
    }
    expect(existsSync(created)).toBe(false);
    const client = await openEmbedded(directory);
    await client.query('CREATE TABLE t (n INT)');
    await client.close();
  });

  it('is not taken from an owner on another machine that shares the disk', async () => {
    const elsewhere = { machine: 'other-host', boot: 'b', pid: 7, token: 't' };
    await writeFile(recordPath(directory), JSON.stringify(elsewhere));
    const refusal = await openEmbedded(directory).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'DIRECTORY_HELD', details: { pid: 7 } });
    expect(String(refusal)).toContain(`delete ${recordPath(directory)}`);
    await rm(recordPath(directory));
    await (await openEmbedded(directory)).close();
  });

  it('is opened although somebody died while taking it over', async () => {
    const takeover = `${await socketPath(directory)}.takeover`;
    const gone = start();
    await gone.message('started');
    await gone.kill();
    await mkdir(takeover);
    await writeFile(join(takeover, 'pid'), String(gone.pid));
    const client = await openEmbedded(directory);
    expect(JSON.parse(await readFile(recordPath(directory), 'utf8'))).toMatchObject({
      pid: process.pid,
    });
    await client.close();
  });

  it('says where it lies when what is there is no database', async () => {
    await rm(join(directory, 'postgres', 'global'), { recursive: true });
    await writeFile(join(directory, 'postgres', 'PG_VERSION'), '18\n');
    await expect(openEmbedded(directory)).rejects.toMatchObject({ code: 'STORE_REJECTED' });
    expect(existsSync(recordPath(directory))).toBe(false);
  });
});
