import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';

import { quickwmsProfile } from '../profile.ts';
import { RedisStreamEventBus, type RedisStreamEventBusConfig } from './redis-stream-bus.ts';

const usual = { redis: { host: 'nowhere.invalid' }, serviceName: 'quickinventoryz' };
/** Nothing is opened before `connect()`, so no server is needed. */
const make = (config: object) => new RedisStreamEventBus({ ...usual, ...config });

/** What such a bus is refused with; fails if it is not. */
function expectRefusal(config: object, says: RegExp): void {
  expect(() => make(config)).toThrow(TypeError);
  expect(() => make(config)).toThrow(says);
}

describe('RedisStreamEventBus', () => {
  it('is one of the warehouse: its streams, its profile, and a group that is named for the service', () => {
    const bus = make({});
    expect(bus.transport.streamOf?.('item.graded')).toBe('quickwms:events:item');
    expect(bus.profile).toBe(quickwmsProfile);
    expect(bus.consumers().group).toBe('quickinventoryz-group');
  });

  it('puts streams under another prefix only if it is asked to', () => {
    const streamOf = (config: object) => make(config).transport.streamOf?.('item.graded');
    expect(streamOf({ streamPrefix: 'dock:' })).toBe('dock:item');
    expect(streamOf({ streamPrefix: undefined })).toBe('quickwms:events:item');
  });

  it('takes everything that the guide prints, and every place that Redis can be at', () => {
    const printed: RedisStreamEventBusConfig = {
      redis: { host: 'localhost', port: parseInt('6379'), password: process.env['NO_PASSWORD'] },
      serviceName: 'quickinventoryz',
      streamPrefix: 'quickwms:events:',
      maxRetries: 3,
      retryDelayMs: 1000,
      maxStreamLength: 100000,
    };
    expect(new RedisStreamEventBus(printed).serviceName).toBe('quickinventoryz');
    const client = new Redis({ lazyConnect: true });
    for (const redis of ['redis://localhost', 'rediss://:p%40ss@localhost:6380/2', client]) {
      expect(make({ redis }).serviceName).toBe('quickinventoryz');
    }
    expect(client.status).toBe('wait');
    client.disconnect();
  });

  it.each(['timeOut', 'profile', 'catalogue', 'clock', 'connectionName', 'client', 'group'])(
    'does not know the option %s',
    (name) => {
      expectRefusal(
        { [name]: 1 },
        new RegExp(`unknown option ${name}; known are serviceName, .*redis`),
      );
    },
  );

  it.each([undefined, null, 6379, '', 'localhost:6379', [], { url: 'redis://localhost' }])(
    'needs to be told where Redis is: %j',
    (redis) => {
      expectRefusal({ redis }, /^redis: /);
    },
  );

  it.each([undefined, null, '', 7, 'x'.repeat(250), 'a\nb'])(
    'needs the name of a service that can name a group: %j',
    (serviceName) => {
      expectRefusal({ serviceName }, /serviceName/);
    },
  );

  it.each(['{quickwms}:', 'quick wms:', 'quickwms*', '', 7, null])(
    'refuses the prefix %j, which people would have to quote',
    (streamPrefix) => {
      expectRefusal({ streamPrefix }, /^streamPrefix must/);
    },
  );

  const notLengths = [0, -1, 1.5, Number.NaN, Infinity, 1_000_000_001, '100000', null];
  it.each(['maxStreamLength', 'lossyMaxStreamLength'])('refuses what is no length: %s', (name) => {
    for (const length of notLengths) {
      expectRefusal({ [name]: length }, new RegExp(`${name} must be a whole number from 1 to`));
    }
    expect(make({ [name]: 1 }).serviceName).toBe('quickinventoryz');
  });

  it('refuses to drop messages earlier than it would trim what is settled', () => {
    const lengths = { maxStreamLength: 1_000, lossyMaxStreamLength: 999 };
    expectRefusal(lengths, /lossyMaxStreamLength must not be below maxStreamLength/);
    expect(make({ ...lengths, lossyMaxStreamLength: 1_000 }).serviceName).toBe('quickinventoryz');
  });

  it.each([
    ['claimMs', [99, 86_400_001, '30000', Number.NaN]],
    ['reclaimEveryMs', [0, 86_400_001, -1]],
    ['blockMs', [0, 86_400_001, Infinity]],
    ['timeoutMs', [0, 2 ** 31, Number.NaN]],
    ['trimEveryMs', [0, 2 ** 31]],
    ['forgetConsumerMs', [0, Infinity]],
    ['maxRetries', [-1, 101, 1.5, '3']],
    ['retryDelayMs', [-1, 2 ** 31, Number.NaN]],
  ])('refuses what is out of range for %s', (name, values) => {
    for (const value of values) expectRefusal({ [name]: value }, /must be/);
  });

  it('refuses what its consumers would refuse', () => {
    expectRefusal({ consumers: { concurrency: 0 } }, /concurrency must be/);
    expectRefusal({ consumers: { timeOut: 5 } }, /unknown option timeOut/);
  });

  it('refuses by name what comes before connect', async () => {
    const bus = make({});
    await expect(bus.getGroupInfo('quickwms:events:item')).rejects.toMatchObject({
      code: 'NOT_CONNECTED',
    });
    await bus.shutdown();
  });
});
