import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { holdingPublish, keyA, keyB, partitionB, RelayBench } from '../../test/relay-bench.ts';
import { settle, until } from '../../test/until.ts';
import { EventError } from '../errors.ts';

let bench: RelayBench;

beforeEach(() => {
  bench = new RelayBench();
});

afterEach(() => bench.end());

const away = new EventError('TRANSPORT_UNAVAILABLE', 'away', { transport: 'test' });

describe('stopping a relay', () => {
  it('finishes the batch under way, and publishes what its own process announced', async () => {
    const slow = holdingPublish();
    const relay = bench.relay({ publish: slow.publish });
    await bench.add(keyA, 'a1');
    relay.start();
    await until(() => slow.begun.length === 1, 'a batch is under way');
    await bench.add(keyB, 'b1');
    relay.nudge([partitionB]);
    let stopped = false;
    const stop = relay.stop().then(() => (stopped = true));
    await settle();
    expect(stopped).toBe(false);
    slow.release();
    await until(() => slow.begun.length === 2, 'what was announced goes too');
    slow.release();
    await stop;
    expect((await bench.outbox.status()).waiting).toBe(0);
    expect(bench.clock.waiting).toBe(0);
  });

  it('does not go on for long with a broker that is slow to refuse', async () => {
    const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
    for (const key of keys) await bench.add(key, key);
    let tries = 0;
    const relay = bench.relay({
      publish: async () => {
        tries += 1;
        await bench.clock.sleep(tries === 1 ? 1_000 : 30_000);
        throw away;
      },
    });
    relay.start();
    relay.nudge(Array.from({ length: 16 }, (_, partition) => partition));
    await until(() => tries === 1, 'the first is under way');
    const stop = relay.stop();
    await bench.clock.advance(1_000);
    await until(() => tries === 2, 'what was announced is tried');
    await bench.clock.advance(30_000);
    await stop;
    expect(tries).toBe(2);
  });

  it('does not wait for an outbox that never answers', async () => {
    bench.outbox.waitingPartitions = () => new Promise(() => {});
    const relay = bench.relay();
    relay.start();
    await settle();
    let stopped = false;
    const stop = relay.stop().then(() => (stopped = true));
    await bench.clock.advance(5_000);
    expect(stopped).toBe(false);
    await bench.clock.advance(5_000);
    await stop;
  });

  it('is one stop, and may come before the start', async () => {
    const relay = bench.relay();
    relay.start();
    await settle();
    await Promise.all([relay.stop(), relay.stop()]);
    const never = bench.relay();
    await never.stop();
    never.start();
    await bench.add(keyA, 'a1');
    await settle();
    await bench.clock.advance(10_000);
    expect(bench.published).toEqual([]);
    expect(bench.clock.waiting).toBe(0);
  });
});
