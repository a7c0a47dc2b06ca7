import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { holdingPublish, keyA, partitionA, RelayBench } from '../../test/relay-bench.ts';
import { settle, until } from '../../test/until.ts';
import { EventError } from '../errors.ts';

let bench: RelayBench;

beforeEach(() => {
  bench = new RelayBench();
});

afterEach(() => bench.end());

const away = new EventError('TRANSPORT_UNAVAILABLE', 'away', { transport: 'test' });
const degraded = (why: string): object => ({
  status: 'degraded',
  reasons: [expect.stringContaining(why)],
});
const ok = { status: 'ok', reasons: [] };

describe('the health of a relay', () => {
  it('stays bad while another relay tries the same partition, until something gets out', async () => {
    const other = holdingPublish();
    const failing = bench.relay({ publish: () => Promise.reject(away) });
    await bench.add(keyA, 'a1');
    failing.start();
    await until(() => failing.health().status === 'degraded', 'it has failed');
    bench.relay({ publish: other.publish }).start();
    await settle();
    expect(other.begun).toEqual([['a1']]);
    await bench.clock.advance(6_000);
    expect(failing.health()).toEqual(degraded('away'));
    expect(bench.seen.of('recovered')).toEqual([]);
    other.release();
    await settle();
    await bench.clock.advance(100);
    expect(failing.health()).toEqual(ok);
  });

  it('is bad within ten seconds if the outbox does not answer, and good again once it does', async () => {
    const { promise: answer, resolve } = Promise.withResolvers<number[]>();
    bench.outbox.waitingPartitions = () => answer;
    const relay = bench.relay();
    relay.start();
    await settle();
    await bench.clock.advance(4_000);
    expect(relay.health()).toEqual(ok);
    await bench.clock.advance(6_000);
    expect(relay.health()).toEqual(degraded('has not answered for'));
    resolve([]);
    await settle();
    expect(relay.health()).toEqual(ok);
  });

  it('is bad within ten seconds if the destination does not answer, and good again once it does', async () => {
    const { publish, release } = holdingPublish();
    const relay = bench.relay({ publish });
    await bench.add(keyA, 'a1');
    relay.start();
    await settle();
    await bench.clock.advance(10_000);
    expect(relay.health()).toEqual(degraded('has not answered for'));
    release();
    await settle();
    expect(relay.health()).toEqual(ok);
  });

  it('says at once that a message is not taken, however seldom it looks for others', async () => {
    const relay = bench.relay({
      pollMs: 5_000,
      publish: async (messages) => messages.map(() => ({ status: 'refused', error: away })),
    });
    relay.start();
    await settle();
    await bench.add(keyA, 'a1');
    relay.nudge([partitionA]);
    await settle();
    expect(relay.health()).toEqual(degraded('does not take'));
  });
});
