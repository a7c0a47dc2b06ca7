import { MemoryIdempotencyStore } from '@waybill/core/memory';
import type { RedisLike } from '@waybill/redis';
import { describe, expect, it } from 'vitest';

import { IdempotencyHandler } from './idempotency.ts';

/** A client that answers every script as a claim does, and notes what it was sent. */
function client(): RedisLike & { readonly sent: unknown[][]; disconnected: number } {
  const sent: unknown[][] = [];
  const refuse = (): never => {
    throw new Error('only call() is to be used');
  };
  return {
    status: 'ready',
    sent,
    disconnected: 0,
    async call(command, ...args) {
      sent.push([command, ...args]);
      return ['held', null];
    },
    callBuffer: refuse,
    duplicate: refuse,
    connect: refuse,
    disconnect() {
      this.disconnected += 1;
    },
    on: refuse,
    off: refuse,
  };
}

describe('IdempotencyHandler', () => {
  const store = new MemoryIdempotencyStore();
  const database = {} as never;
  const make = (config: object) => () => new IdempotencyHandler(config as never);

  it('remembers keys in one place', () => {
    for (const config of [{ store }, { database }, { redis: client() }]) {
      expect(make(config)).not.toThrow();
    }
    expect(make({})).toThrow(/needs \{ database \} or \{ store \}, or \{ redis \}/);
    expect(make({ redis: undefined })).toThrow(/needs/);
    for (const config of [
      { store, database },
      { store, redis: client() },
      { database, redis: client() },
      { store, database, redis: client() },
    ]) {
      expect(make(config)).toThrow(/not both/);
    }
  });

  it('takes options of a place only with that place', () => {
    expect(make({ store, schemaName: 'dock' })).toThrow(/schemaName belongs to/);
    expect(make({ redis: client(), schemaName: 'dock' })).toThrow(/schemaName belongs to/);
    expect(make({ store, keyPrefix: 'dock:' })).toThrow(/keyPrefix belongs to/);
    expect(make({ database, keyPrefix: 'dock:' })).toThrow(/keyPrefix belongs to/);
  });

  it('refuses what is no Redis, and an option that is misspelt', () => {
    expect(make({ redis: 'localhost:6379' })).toThrow(/the URL must read/);
    expect(make({ redis: { ...client(), isCluster: true } })).toThrow(/cluster/);
    expect(make({ redis: client(), ttl: 1 })).toThrow(/unknown option ttl/);
  });

  it.each([
    [{}, 'quickwms:idempotency:key'],
    [{ keyPrefix: 'dock:' }, 'dock:key'],
  ])('uses a client as it is, and leaves it open: %j', async (config, key) => {
    const redis = client();
    const handler = new IdempotencyHandler({ redis, ...config });
    const refused = handler.executeIdempotent('key', 'charge', () => 1);
    await expect(refused).rejects.toMatchObject({ code: 'CLAIM_HELD' });
    expect(redis.sent).toEqual([expect.arrayContaining(['EVALSHA', 1, key])]);
    handler.close();
    expect(redis.disconnected).toBe(0);
  });
});
