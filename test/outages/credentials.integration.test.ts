import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { openPostgres, PostgresEventStore } from '@waybill/postgres';
import { spawnWorker, startFaultProxy, type WorkerProcess } from '@waybill/testing';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../scripts/services/test-database.ts';
import { hasRedis, redisUrl } from '../../scripts/services/test-redis.ts';
import type { ServiceArgs, ServiceNews } from './workers/service.ts';

/** A user of a server, whose password can be changed. */
interface Login extends AsyncDisposable {
  readonly url: string;
  readonly refusal: string;
  /** Changes the password, and ends the connections that were made with the one before. */
  setPassword(password: string): Promise<void>;
}

const right = 'r1ght';
const wrong = 'wr0ng';
const refusedForMs = 6_000;

async function redisLogin(): Promise<Login> {
  const admin = new Redis(redisUrl());
  const user = `dock-${randomBytes(6).toString('hex')}`;
  await admin.call('ACL', 'SETUSER', user, 'on', `>${right}`, '~*', '&*', '+@all');
  return {
    url: Object.assign(new URL(redisUrl()), { username: user, password: right }).href,
    refusal: 'WRONGPASS',
    async setPassword(password) {
      await admin.call('ACL', 'SETUSER', user, 'resetpass', `>${password}`);
      await admin.call('CLIENT', 'KILL', 'USER', user);
    },
    async [Symbol.asyncDispose]() {
      await admin.call('ACL', 'DELUSER', user);
      admin.disconnect();
    },
  };
}

async function postgresLogin(): Promise<Login> {
  const database = await createTestDatabase();
  const admin = openPostgres({ connectionString: database.url, maxConnections: 1 });
  await new PostgresEventStore({ client: admin }).initialize();
  const user = `dock_${randomBytes(6).toString('hex')}`;
  await admin.query(`CREATE ROLE ${user} SUPERUSER LOGIN PASSWORD '${right}'`);
  return {
    url: Object.assign(new URL(database.url), { username: user, password: right }).href,
    refusal: '28P01',
    async setPassword(password) {
      await admin.query(`ALTER ROLE ${user} PASSWORD '${password}'`);
      const ofUser = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1';
      await admin.query(ofUser, [user]);
    },
    async [Symbol.asyncDispose]() {
      await admin.query(`DROP ROLE ${user}`);
      await admin.close();
      await database.drop();
    },
  };
}

/** Starts a service of its own: two of one name would share a group, and each get a part of what the other publishes. */
function start(url: string): WorkerProcess {
  const worker = new URL('./workers/service.ts', import.meta.url);
  const service = `credentials-${randomBytes(6).toString('hex')}`;
  return spawnWorker(worker, { url, service } satisfies ServiceArgs);
}

async function newsOf(
  process: WorkerProcess,
  isWanted: (news: ServiceNews) => boolean,
): Promise<ServiceNews> {
  for (;;) {
    const news = await process.message<ServiceNews>('news', 60_000);
    if (isWanted(news)) return news;
  }
}

const isWell = ({ group, publisher }: ServiceNews): boolean =>
  group.status === 'ok' && publisher.status === 'ok';

/** How often the process was warned of something. */
const warnings = ({ stderr }: WorkerProcess, code: string): number =>
  stderr.split(`[${code}]`).length - 1;

describe.skipIf(!hasRedis() || !hasPostgres()).each([
  ['Redis', redisLogin],
  ['the PostgreSQL log', postgresLogin],
])('a service on %s, looked at from outside', { concurrent: true }, (_, logIn) => {
  it('ends its first start by name where the password is wrong, and shows none', async () => {
    await using login = await logIn();
    await login.setPassword(wrong);
    await using process = start(login.url);
    const { code } = await process.exit;
    expect(code).not.toBe(0);
    expect(process.stderr).toMatch(/ACCESS_REFUSED: /);
    expect(process.stderr).toContain(login.refusal);
    expect(process.stderr).toMatch(/password is wrong.*: correct it/);
    expect(process.stderr).not.toMatch(new RegExp(`${right}|${wrong}`));
  });

  it('waits at its first start for a server that takes no connections, and says so once', async () => {
    await using login = await logIn();
    const { hostname: host, port } = new URL(login.url);
    const proxy = await startFaultProxy({ to: { host, port: Number(port) } });
    await proxy.switchTo({ kind: 'refuse' });
    await using process = start(
      Object.assign(new URL(login.url), { host: `${proxy.host}:${proxy.port}` }).href,
    );
    const { publisher } = await newsOf(process, (news) => news.publisher.status !== 'ok');
    expect(publisher.reasons.join()).toMatch(/does not get on/);
    await proxy.switchTo({ kind: 'pass' });
    await process.message('started', 60_000);
    await newsOf(process, (news) => isWell(news) && news.handled.length > 0);
    expect(warnings(process, 'PUBLISHER_TROUBLE')).toBe(1);
    expect(warnings(process, 'RECOVERED')).toBe(1);
    await proxy.stop();
  });

  it('outlives a password that is wrong for six seconds, and loses nothing', async () => {
    await using login = await logIn();
    await using process = start(login.url);
    await process.message('started', 60_000);
    await newsOf(process, (news) => isWell(news) && news.handled.length > 0);
    await login.setPassword(wrong);
    // At first they say that their connections were cut, then why there are no new ones.
    await newsOf(
      process,
      ({ group, publisher }) =>
        group.status === 'degraded' &&
        publisher.status === 'degraded' &&
        [...group.reasons, ...publisher.reasons].join().includes(login.refusal),
    );
    await sleep(refusedForMs);
    expect(process.running).toBe(true);
    await login.setPassword(right);
    const { published } = await newsOf(process, isWell);
    await newsOf(process, ({ handled, published: now }) => {
      const all = new Set(handled);
      return now.length > published.length + 3 && published.every((id) => all.has(id));
    });
    expect(warnings(process, 'CONSUMER_TROUBLE')).toBe(1);
    expect(warnings(process, 'CONSUMER_ENDED')).toBe(0);
    expect(warnings(process, 'DEAD_LETTERED')).toBe(0);
    expect(process.stderr).not.toMatch(new RegExp(`${right}|${wrong}`));
  });
});
