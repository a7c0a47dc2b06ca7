import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { canStartRedis, hasRedis } from '../../../scripts/services/test-redis.ts';
import { waitUntil } from '../../../scripts/wait-until.ts';
import { RefusingRedis, type Login, type RefusedService } from '../test/refusing-redis.ts';
import { redisCodes } from './redis-codes.ts';

/** How a server is brought to give an answer, and back. */
interface Provocation {
  readonly code: string;
  readonly begin: (redis: RefusingRedis) => Promise<unknown>;
  readonly end: (redis: RefusingRedis) => Promise<unknown>;
  /** Who is kept from getting on; all of them unless given. */
  readonly suffers?: readonly ('group' | 'broadcast' | 'publisher')[];
  readonly login?: Login;
  /** What health says of it; the code unless given. */
  readonly shows?: RegExp;
}

const nowhere = ['127.0.0.1', '1'] as const;
const setting =
  (...args: string[]) =>
  (redis: RefusingRedis) =>
    redis.ask('CONFIG', 'SET', ...args);
const writers = ['group', 'publisher'] as const;
/** A restart that is under way. */
let restart: Promise<void> = Promise.resolve();
let busy: Promise<unknown> = Promise.resolve();

const provocations: readonly Provocation[] = [
  {
    code: 'WRONGPASS',
    begin: async (redis) => {
      await redis.ask('ACL', 'SETUSER', 'dock', 'resetpass', '>other');
      await redis.cutConnections();
    },
    end: (redis) => redis.ask('ACL', 'SETUSER', 'dock', 'resetpass', '>secret'),
  },
  {
    code: 'NOAUTH',
    login: 'nobody',
    begin: async (redis) => {
      await redis.ask('CONFIG', 'SET', 'requirepass', new URL(redis.server.url).password);
      await redis.cutConnections();
    },
    end: setting('requirepass', ''),
  },
  {
    code: 'NOPERM',
    begin: (redis) => redis.ask('ACL', 'SETUSER', 'dock', '-@all', '+auth', '+info', '+select'),
    end: (redis) => redis.ask('ACL', 'SETUSER', 'dock', '+@all'),
  },
  {
    code: 'READONLY',
    suffers: writers,
    begin: (redis) => redis.ask('REPLICAOF', ...nowhere),
    end: (redis) => redis.ask('REPLICAOF', 'NO', 'ONE'),
  },
  {
    code: 'MASTERDOWN',
    begin: async (redis) => {
      await redis.ask('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
      await redis.ask('REPLICAOF', ...nowhere);
    },
    end: async (redis) => {
      await redis.ask('REPLICAOF', 'NO', 'ONE');
      await redis.ask('CONFIG', 'SET', 'replica-serve-stale-data', 'yes');
    },
  },
  {
    code: 'MISCONF',
    suffers: writers,
    begin: async (redis) => {
      await redis.ask('CONFIG', 'SET', 'save', '3600 1');
      // Its file has the name of a folder.
      await redis.ask('BGSAVE');
      await waitUntil('a snapshot has failed', async () =>
        (await redis.admin.info('persistence')).includes('rdb_last_bgsave_status:err'),
      );
    },
    end: setting('save', ''),
  },
  {
    code: 'OOM',
    suffers: ['publisher'],
    begin: setting('maxmemory', '1'),
    end: setting('maxmemory', '0'),
  },
  {
    code: 'NOREPLICAS',
    suffers: writers,
    begin: setting('min-replicas-to-write', '1'),
    end: setting('min-replicas-to-write', '0'),
  },
  {
    code: 'BUSY',
    begin: async (redis) => {
      const other = redis.admin.duplicate();
      busy = other
        .eval('while true do end', 0)
        .catch(() => {})
        .finally(() => other.disconnect());
    },
    end: async (redis) => {
      await redis.ask('SCRIPT', 'KILL');
      await busy;
    },
  },
  {
    code: 'ERR max number of clients',
    begin: async (redis) => {
      await redis.ask('CONFIG', 'SET', 'maxclients', '1');
      await redis.cutConnections();
    },
    end: setting('maxclients', '10000'),
    // It says so and hangs up, which often overtakes what it has said.
    shows: /max number of clients|ECONNRESET|EPIPE|[Cc]onnection/,
  },
  {
    code: 'LOADING',
    // The others are gone after a restart.
    login: 'operator',
    begin: async (redis) => {
      restart = redis.server.restart({ keepData: true });
    },
    end: () => restart,
  },
];

const kindOf = (code: string): string => redisCodes.find((each) => each.code === code)!.kind;

describe.skipIf(!hasRedis() || !(await canStartRedis()))('what Redis refuses', () => {
  let redis: RefusingRedis;
  beforeAll(async () => {
    redis = await RefusingRedis.start({
      dbfilename: 'appendonlydir',
      'lua-time-limit': '50',
      // So that loading takes some seconds: everybody has to meet it.
      'key-load-delay': '400',
    });
    for (let at = 0; at < 15_000; at += 1_000) {
      const keys = Array.from({ length: 1_000 }, (_, index) => [
        `filler:${at + index}`,
        'x',
      ]).flat();
      const filling = redis.admin.pipeline();
      for (let index = 0; index < keys.length; index += 2)
        filling.set(keys[index]!, keys[index + 1]!);
      await filling.exec();
    }
  });
  afterAll(() => redis?.[Symbol.asyncDispose]());
  /** What a test that fails leaves to be put right. */
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  it.each(provocations)('$code: a first start, and services that have got on', async (provoked) => {
    const { code, begin, end, login = 'user', shows = new RegExp(code) } = provoked;
    const { suffers = ['group', 'broadcast', 'publisher'] } = provoked;
    if (login === 'nobody') await redis.ask('CONFIG', 'SET', 'requirepass', '');
    const name = code.toLowerCase().replaceAll(' ', '-');
    const running = redis.service(`${name}-running`, redis.url(login));
    await running.start();
    await getsOn(running);

    await begin(redis);
    ends.push(() => end(redis));
    const publishing = startPublishing(running);
    for (const who of suffers) {
      await waitUntil(`the ${who} says ${code}`, () => says(running, who, shows));
    }
    if (suffers.includes('broadcast')) await severalTries(running, 5);
    const starting = redis.service(`${name}-starting`, redis.url(login));
    const started = starting.start().then(
      () => 'started',
      (error: unknown) => error,
    );
    if (kindOf(code) === 'access') {
      expect(await started).toMatchObject({
        code: 'ACCESS_REFUSED',
        retryable: false,
        details: { server: 'redis', refusal: code },
      });
    } else if (suffers.includes('group')) {
      await waitUntil('the first start says why it waits', () =>
        Object.values(starting.health).some(({ reasons }) => reasons.length > 0),
      );
      expect(starting.group.running && starting.count('delivered') > 0).toBe(false);
    }

    await ends.pop()!();
    const ids = await publishing();
    await waitUntil('everything was handled', () =>
      ids.every((id) => running.handled.includes(id)),
    );
    await waitUntil('everything was heard', () => ids.every((id) => running.heard.includes(id)));
    await getsOn(running);
    if (kindOf(code) !== 'access') {
      expect(await started).toBe('started');
      await getsOn(starting);
    }
    expect(running.count('consumer-ended')).toBe(0);
    expect(running.count('dead-lettered')).toBe(0);
    expect(running.count('trouble')).toBe(running.count('recovered'));
    for (const who of ['consumer', 'publisher']) {
      expect(running.count('trouble', `"who":"${who}"`)).toBeLessThanOrEqual(
        who === 'consumer' ? 2 : 1,
      );
    }
    expect(JSON.stringify([running.seen, starting.seen])).not.toMatch(/secret|>other/);
    await running.shutdown();
    await starting.shutdown();
    if (login === 'nobody') {
      await redis.ask('CONFIG', 'SET', 'requirepass', new URL(redis.server.url).password);
    }
  });

  it('has no answer here that the table lacks, and provokes all but those that it cannot', () => {
    const missing = redisCodes
      .map(({ code }) => code)
      .filter((code) => !provocations.some((each) => each.code === code));
    expect(missing).toEqual(['DENIED', 'CLUSTERDOWN', 'WRONGTYPE', 'ERR']);
  });
});

function says(
  service: RefusedService,
  who: 'group' | 'broadcast' | 'publisher',
  words: RegExp,
): boolean {
  const { status, reasons } = service.health[who];
  return status === 'degraded' && words.test(reasons[0]!);
}

/** One try would not show that the next one follows. */
async function severalTries(service: RefusedService, tries: number): Promise<void> {
  const { group } = service.group;
  for (const name of [group, '']) {
    const failed = (): number => service.count('consume-failed', `"group":"${name}"`);
    await waitUntil(`${tries} tries have failed`, () => failed() >= tries);
  }
}

/** Publishes again and again. @returns What stops it once everything was accepted, with the ids of that. */
function startPublishing(service: RefusedService): () => Promise<string[]> {
  const ids: string[] = [];
  let isEnough = false;
  const publishing = (async () => {
    while (!isEnough || ids.length < 3) {
      await service.publish().then(
        (id) => void ids.push(id),
        () => {},
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return async () => {
    isEnough = true;
    await publishing;
    return ids;
  };
}

async function getsOn(service: RefusedService): Promise<void> {
  const id = await service.publish();
  await waitUntil('an event was handled', () => service.handled.includes(id));
  await waitUntil('an event was heard', () => service.heard.includes(id));
  await waitUntil('all are well', () =>
    Object.values(service.health).every(({ status }) => status === 'ok'),
  );
}
