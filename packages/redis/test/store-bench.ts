import { randomUUID } from 'node:crypto';

import type { DeadLetterQueue, HandoverQueue, IdempotencyStore } from '@waybill/core';
import type { StoreConformanceOptions } from '@waybill/core/conformance';
import { Redis } from 'ioredis';

import { redisUrl } from '../../../scripts/services/test-redis.ts';
import type { RedisVersion } from '../../../scripts/services/redis-versions.ts';
import { RedisDeadLetterQueue } from '../src/dead-letter-queue.ts';
import { RedisHandoverQueue } from '../src/handover-queue.ts';
import { RedisIdempotencyStore } from '../src/idempotency-store.ts';

/** A server that stores are tested on, from `open` to `close`. Each store keeps to names of its own. */
export class StoreBench {
  client!: Redis;
  readonly #version: RedisVersion;
  readonly #prefixes: string[] = [];

  constructor(version: RedisVersion = '7.0') {
    this.#version = version;
  }

  get url(): string {
    return redisUrl(this.#version);
  }

  open(): void {
    this.client = new Redis(this.url);
  }

  /** Removes everything that was written under one of its prefixes. */
  async close(): Promise<void> {
    for (const prefix of this.#prefixes) await this.#remove(prefix);
    await this.client?.quit();
  }

  /** What the names of nobody else's keys begin with. */
  prefix(): string {
    const prefix = `test:${randomUUID()}:`;
    this.#prefixes.push(prefix);
    return prefix;
  }

  async #remove(prefix: string): Promise<void> {
    for await (const keys of this.client.scanStream({ match: `${prefix}*`, count: 1_000 })) {
      if (keys.length > 0) await this.client.del(...(keys as string[]));
    }
  }
}

/** What the suites are given for the stores of this package. */
export function conformanceOptions(bench: StoreBench): {
  deadLetters: StoreConformanceOptions<DeadLetterQueue>;
  handovers: StoreConformanceOptions<HandoverQueue>;
  idempotency: StoreConformanceOptions<IdempotencyStore>;
} {
  const store = <Store>(
    make: (redis: Redis, prefix: string) => Store,
  ): StoreConformanceOptions<Store> => ({
    capabilities: { transactions: false, concurrentTransactions: false },
    reopens: true,
    create: async () => {
      const prefix = bench.prefix();
      const open = (): Store => make(bench.client, prefix);
      return { store: open(), reopen: open };
    },
  });
  return {
    deadLetters: store((redis, streamPrefix) => new RedisDeadLetterQueue({ redis, streamPrefix })),
    handovers: store((redis, streamPrefix) => new RedisHandoverQueue({ redis, streamPrefix })),
    idempotency: store((redis, keyPrefix) => new RedisIdempotencyStore({ redis, keyPrefix })),
  };
}
