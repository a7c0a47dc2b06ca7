import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { changed } from '../conformance/faults/changed.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';
import { silentLogger, type Logger } from '../observer.ts';
import type { Consumer } from '../transport/transport.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

const away = new Error('the broker is away');

/** A running group whose consumer says, and does, what the test wants. */
async function running(said: Partial<ConsumerGroupOptions> = {}): Promise<{
  group: ConsumerGroup;
  tell: (error: unknown) => void;
  fail: (error: unknown) => void;
}> {
  const transport = new MemoryTransport({ broker: bench.broker });
  const subscribe = transport.subscribe.bind(transport);
  const { promise, reject } = Promise.withResolvers<void>();
  let tell: (error: unknown) => void = () => expect.fail('no subscription');
  transport.subscribe = async (subscription, deliver) => {
    tell = subscription.onTrouble!;
    return changed<Consumer>(await subscribe(subscription, deliver), { finished: promise });
  };
  const group = bench.group({ transport, ...said });
  group.on(['item.*'], () => {});
  await group.start();
  return { group, tell: (error) => tell(error), fail: reject };
}

describe('a group whose consumer does not get on', () => {
  it('says so once to observer, log and health, and once more when it gets on again', async () => {
    const warn = vi.fn<Logger['warn']>();
    const { group, tell } = await running({ logger: { ...silentLogger, warn } });
    tell(away);
    await bench.clock.advance(2_000);
    tell(away);
    expect(group.health()).toEqual({
      status: 'degraded',
      reasons: [
        'the consumer of graders does not get on: the broker is away, since 2026-01-01T00:00:00.000Z',
      ],
    });
    expect({ running: group.running, logged: warn.mock.calls.length }).toEqual({
      running: true,
      logged: 1,
    });
    tell(undefined);
    tell(undefined);
    expect(group.health()).toEqual({ status: 'ok', reasons: [] });
    expect(bench.seen.of('trouble').length).toBe(1);
    expect(bench.seen.of('recovered')).toEqual([
      { kind: 'recovered', who: 'consumer', name: 'graders', afterMs: 2_000 },
    ]);
  });

  it('is named as a broadcast where it has no group', async () => {
    const { group, tell } = await running({ group: null, silence: ['CONSUMER_TROUBLE'] });
    tell(away);
    expect(group.health().reasons).toEqual([
      expect.stringMatching(/^the consumer of broadcast does not get on/),
    ]);
  });

  it('writes nothing where the trouble is silenced', async () => {
    const warn = vi.fn<Logger['warn']>();
    const logger = { ...silentLogger, warn };
    const { tell } = await running({ logger, silence: ['CONSUMER_TROUBLE'] });
    tell(away);
    expect(warn).not.toHaveBeenCalled();
    expect(bench.seen.of('trouble').length).toBe(1);
  });

  it('has nothing but its end to speak of once it has ended by itself, and runs no more', async () => {
    const { group, tell, fail } = await running({ silence: ['CONSUMER_TROUBLE'] });
    tell(away);
    fail(new Error('the stream was deleted'));
    await expect(group.finished).rejects.toThrow('the stream was deleted');
    expect({ running: group.running, health: group.health() }).toEqual({
      running: false,
      health: {
        status: 'failed',
        reasons: ['the consumer has ended: the stream was deleted, since 2026-01-01T00:00:00.000Z'],
      },
    });
    await expect(group.start()).rejects.toMatchObject({ code: 'STOPPING' });
    expect(bench.seen.of('consumer-ended')).toEqual([
      { kind: 'consumer-ended', group: 'graders', error: new Error('the stream was deleted') },
    ]);
  });

  it('runs no more, and says so, once its transport was closed beneath it', async () => {
    const transport = new MemoryTransport({ broker: bench.broker });
    const group = bench.group({ transport });
    group.on(['item.*'], () => {});
    await group.start();
    await transport.close();
    await expect(group.finished).rejects.toMatchObject({ code: 'STOPPING' });
    expect({ running: group.running, health: group.health() }).toEqual({
      running: false,
      health: {
        status: 'failed',
        reasons: [expect.stringContaining('group graders has had its transport closed')],
      },
    });
    await group.stop();
  });

  it('is well after its own stop, whatever was in its way', async () => {
    bench.deadLetters.claim = () => Promise.reject(away);
    const { group, tell } = await running({ silence: ['CONSUMER_TROUBLE'] });
    tell(away);
    await bench.clock.advance(0);
    expect(group.health().reasons).toHaveLength(2);
    await group.stop();
    await group.finished;
    expect({ running: group.running, health: group.health().status }).toEqual({
      running: false,
      health: 'ok',
    });
  });
});
