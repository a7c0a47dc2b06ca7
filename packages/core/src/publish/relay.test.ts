import { AsyncLocalStorage } from 'node:async_hooks';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { envelope } from '../../test/envelope.ts';
import {
  holdingPublish,
  idsOf,
  keyA,
  keyB,
  partitionA,
  partitionB,
  RelayBench,
  type TestPublish,
} from '../../test/relay-bench.ts';
import { settle, until } from '../../test/until.ts';
import { EventError } from '../errors.ts';
import { currentScope, runInScope } from '../handler-scope.ts';

let bench: RelayBench;

beforeEach(() => {
  bench = new RelayBench();
});

afterEach(() => bench.end());

const away = new EventError('TRANSPORT_UNAVAILABLE', 'away', { transport: 'test' });

describe('a relay', () => {
  it('publishes everything, in order per key, and forgets it', async () => {
    for (let number = 0; number < 50; number += 1) {
      await bench.add(`key-${number % 7}`, `${number % 7}-${String(number).padStart(2, '0')}`);
    }
    bench.relay({ batchSize: 3 }).start();
    await until(async () => (await bench.outbox.status()).waiting === 0, 'all is published');
    expect(bench.published.length).toBe(50);
    for (let key = 0; key < 7; key += 1) {
      const ids = bench.published.filter((id) => id.startsWith(`${key}-`));
      expect(ids).toEqual(ids.toSorted());
    }
    const counted = bench.seen.of('relayed').reduce((sum, { count }) => sum + count, 0);
    expect(counted).toBe(50);
  });

  it('finds what nobody announced at its next poll', async () => {
    bench.relay({ pollMs: 100 }).start();
    await settle();
    await bench.add(keyA, 'a1');
    await bench.clock.advance(99);
    expect(bench.published).toEqual([]);
    await bench.clock.advance(1);
    expect(bench.published).toEqual(['a1']);
  });

  it('publishes what is announced at once', async () => {
    const relay = bench.relay();
    relay.start();
    await settle();
    await bench.add(keyA, 'a1');
    relay.nudge([partitionA]);
    await settle();
    expect(bench.published).toEqual(['a1']);
  });

  it('does not lose what is announced while it is busy', async () => {
    const slow = holdingPublish();
    const relay = bench.relay({ publish: slow.publish });
    await bench.add(keyA, 'a1');
    relay.start();
    await until(() => slow.begun.length === 1, 'the pass is under way');
    await bench.add(keyA, 'a2');
    relay.nudge([partitionA]);
    await bench.add(keyB, 'b1');
    relay.nudge([partitionB]);
    slow.release();
    await until(() => slow.begun.length === 2, 'the first of the announced goes');
    slow.release();
    await until(() => slow.begun.length === 3, 'the second too');
    slow.release();
    expect(slow.begun.flat().toSorted()).toEqual(['a1', 'a2', 'b1']);
    expect(bench.seen.of('relay-failed')).toEqual([]);
  });

  it('does not lose a hint of another process that comes while it is busy', async () => {
    let wake = (): void => {};
    const listen = async (told: () => void) => {
      wake = told;
      return async () => {};
    };
    bench.hint(listen);
    const slow = holdingPublish();
    bench.relay({ publish: slow.publish }).start();
    await settle();
    await bench.add(keyA, 'a1');
    wake();
    await until(() => slow.begun.length === 1, 'the pass is under way');
    await bench.add(keyB, 'b1');
    wake();
    slow.release();
    await until(() => slow.begun.length === 2, 'the next pass finds it without a poll');
    expect(slow.begun).toEqual([['a1'], ['b1']]);
    slow.release();
  });

  it('finds what others left although it is told of its own all the time', async () => {
    const relay = bench.relay({
      pollMs: 100,
      publish: async (messages) => {
        bench.published.push(...idsOf(messages));
        await bench.add(keyA, `a${bench.published.length}`);
        relay.nudge([partitionA]);
        await bench.clock.advance(10);
        if (bench.published.length > 200) throw new Error('starved');
      },
    });
    await bench.add(keyB, 'left by a process that died');
    await bench.add(keyA, 'a0');
    relay.nudge([partitionA]);
    relay.start();
    await until(
      () => bench.published.includes('left by a process that died'),
      'the other partition had its turn',
    );
    expect(bench.published.length).toBeLessThan(20);
  });

  it("does not stand still when the machine's clock is put back", async () => {
    let backMs = 0;
    const { clock } = bench;
    const shifted = {
      now: () => clock.now() - backMs,
      sleep: clock.sleep.bind(clock),
      schedule: clock.schedule.bind(clock),
    };
    let isAway = true;
    const publish: TestPublish = async (messages) => {
      if (isAway) throw away;
      bench.published.push(...idsOf(messages));
    };
    bench.relay({ clock: shifted, publish }).start();
    await bench.add(keyA, 'a1');
    await settle();
    await clock.advance(100);
    isAway = false;
    backMs = 3_600_000;
    await clock.advance(300);
    expect(bench.published).toEqual(['a1']);
  });

  it('works on after a long time of nothing', async () => {
    bench.relay().start();
    await settle();
    await bench.clock.advance(600_000);
    await bench.add(keyA, 'a1');
    await bench.clock.advance(100);
    expect(bench.published).toEqual(['a1']);
    expect(bench.clock.waiting).toBe(1);
  });
});

describe('two relays of one outbox', () => {
  it('publish everything once, in order per key', async () => {
    const relays = [bench.relay({ batchSize: 2 }), bench.relay({ batchSize: 3 })];
    for (const relay of relays) relay.start();
    for (let number = 0; number < 60; number += 1) {
      await bench.add(`key-${number % 5}`, `${number % 5}-${String(number).padStart(2, '0')}`);
      relays[number % 2]!.nudge([partitionA, partitionB]);
      if (number % 10 === 0) await bench.clock.advance(100);
    }
    await bench.clock.advance(1_000);
    expect(bench.published.toSorted()).toEqual([...new Set(bench.published)].toSorted());
    expect(bench.published.length).toBe(60);
    for (let key = 0; key < 5; key += 1) {
      const ids = bench.published.filter((id) => id.startsWith(`${key}-`));
      expect(ids).toEqual(ids.toSorted());
    }
  });

  it('leave what one could not publish to the other', async () => {
    const broken = bench.relay({ publish: () => Promise.reject(away) });
    broken.start();
    await bench.add(keyA, 'a1');
    await settle();
    await bench.clock.advance(200);
    expect(bench.published).toEqual([]);
    bench.relay().start();
    await until(() => bench.published.length === 1, 'the other one publishes it');
  });
});

describe('where a relay runs', () => {
  it('is outside the handler, and the request, that happened to start it', async () => {
    const requests = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const relay = bench.relay({
      publish: async () => {
        seen.push(currentScope(), requests.getStore());
      },
    });
    const scope = { event: envelope(), tx: {}, afterCommit: () => {} };
    requests.run('request 1', () => runInScope(scope, () => relay.start()));
    await bench.add(keyA, 'a1');
    await requests.run('request 2', () =>
      runInScope(scope, async () => {
        relay.nudge([partitionA]);
        await settle();
      }),
    );
    expect(seen).toEqual([undefined, undefined]);
  });

  it.each([{ pollMs: 0 }, { pollMs: NaN }, { batchSize: 0 }, { batchSize: 1.5 }])(
    'is nowhere with %j',
    (wrong) => {
      expect(() => bench.relay(wrong)).toThrow(TypeError);
    },
  );
});
