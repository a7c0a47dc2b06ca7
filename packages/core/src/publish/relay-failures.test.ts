import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
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

let bench: RelayBench;

beforeEach(() => {
  bench = new RelayBench();
});

afterEach(() => bench.end());

const away = new EventError('TRANSPORT_UNAVAILABLE', 'away', { transport: 'test' });

describe('a partition that cannot be published', () => {
  const failing: TestPublish = async (messages) => {
    if (idsOf(messages).some((id) => id.startsWith('a'))) throw away;
    bench.published.push(...idsOf(messages));
  };

  it('keeps its messages, and does not hold up the others', async () => {
    const relay = bench.relay({ publish: failing });
    await bench.add(keyA, 'a1', 'a2');
    await bench.add(keyB, 'b1');
    relay.start();
    await until(() => bench.published.includes('b1'), 'the other partition goes');
    expect(relay.lastError).toBe(away);
    for (let number = 2; number < 6; number += 1) {
      await bench.add(keyB, `b${number}`);
      relay.nudge([partitionB]);
      await settle();
      expect(bench.published.at(-1)).toBe(`b${number}`);
    }
    expect((await bench.outbox.status()).waiting).toBe(2);
  });

  it('is tried again after a growing pause, and published in order when it can be', async () => {
    let isAway = true;
    const relay = bench.relay({
      pollMs: 100,
      publish: async (messages) => {
        if (isAway) throw away;
        bench.published.push(...idsOf(messages));
      },
    });
    await bench.add(keyA, 'a1', 'a2');
    relay.start();
    await settle();
    await bench.clock.advance(60_000);
    const failures = bench.seen.of('relay-failed').length;
    expect(failures).toBeGreaterThan(10);
    expect(failures).toBeLessThan(30);
    isAway = false;
    await bench.clock.advance(5_100);
    expect(bench.published).toEqual(['a1', 'a2']);
    expect(relay.lastError).toBeUndefined();
  });

  it('is no reason to ask again without a pause, however often it is announced', async () => {
    const relay = bench.relay({ publish: () => Promise.reject(away) });
    await bench.add(keyA, 'a1');
    relay.start();
    await settle();
    for (let number = 0; number < 100; number += 1) {
      relay.nudge([partitionA]);
      await settle();
    }
    expect(bench.seen.of('relay-failed').length).toBe(1);
  });

  it('waits as well when the outbox itself cannot be read', async () => {
    const waiting = bench.outbox.waitingPartitions.bind(bench.outbox);
    bench.outbox.waitingPartitions = () => Promise.reject(away);
    const relay = bench.relay();
    relay.start();
    await settle();
    await bench.clock.advance(30_000);
    expect(relay.lastError).toBe(away);
    expect(bench.seen.of('relay-failed').length).toBeLessThan(20);
    bench.outbox.waitingPartitions = waiting;
    await bench.add(keyA, 'a1');
    await bench.clock.advance(5_100);
    expect(bench.published).toEqual(['a1']);
  });
});

describe('listening for hints', () => {
  it('that cannot begin leaves the polls', async () => {
    for (const listen of [
      () => Promise.reject(away),
      () => new Promise<never>(() => {}),
      () => {
        throw away;
      },
    ]) {
      bench.hint(listen);
      const relay = bench.relay();
      relay.start();
      const before = bench.published.length;
      await bench.add(keyA, 'a1');
      await settle();
      await bench.clock.advance(100);
      expect(bench.published.length).toBe(before + 1);
      await relay.stop();
    }
  });

  it('begins at a later poll when it could not begin at once', async () => {
    let tries = 0;
    let told = (): void => {};
    bench.hint((hear) => {
      tries += 1;
      if (tries < 3) return Promise.reject(away);
      told = hear;
      return Promise.resolve(async () => {});
    });
    const relay = bench.relay();
    relay.start();
    for (let poll = 0; poll < 4; poll += 1) {
      await settle();
      await bench.clock.advance(100);
    }
    expect(tries).toBe(3);
    await bench.add(keyA, 'a1');
    told();
    await settle();
    expect(bench.published).toContain('a1');
    await relay.stop();
  });

  it('ends with the relay, also when it began late', async () => {
    const { promise, resolve } = Promise.withResolvers<() => Promise<void>>();
    let ended = 0;
    bench.hint(() => promise);
    const relay = bench.relay();
    relay.start();
    await settle();
    await relay.stop();
    resolve(async () => void (ended += 1));
    await settle();
    expect(ended).toBe(1);
  });
});
