import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { RedisStreamEventBus } from '@waybill/redis';
import { Publisher } from '@waybill/core';
import { Redis } from 'ioredis';

import { redisUrl } from '../../../../scripts/services/test-redis.ts';
import { draftOf } from '../../support/test-events.ts';
import { removeKeys } from './remove-keys.ts';

/** An entry that is pending for a group. */
export interface PendingEntry {
  readonly eventId: string;
  readonly consumer: string;
  readonly deliveries: number;
}

/** Event number `number`, each of a key of its own. */
export const loneDraftOf: typeof draftOf = (number) => ({
  ...draftOf(number),
  subject: `item-${number}`,
  data: { keySequence: 1 },
});

/** Streams of one world under a prefix of its own, on the server that all test files share. */
export class StreamPlace {
  readonly redisUrl: string = redisUrl();
  readonly prefix: string = `crash:${randomUUID()}:`;
  /** The stream that carries what `draftOf` makes. */
  readonly stream: string = `${this.prefix}item`;
  /** Looks at the server as a person would. */
  readonly redis: Redis = new Redis(this.redisUrl);

  /**
   * Puts the events 1 to `count` where consumers read them; a new group begins with the first.
   *
   * @param pauseMs Between two of them.
   */
  async fill(count: number, draft: typeof draftOf = draftOf, pauseMs = 0): Promise<void> {
    const { redisUrl: redis, prefix: streamPrefix } = this;
    const bus = new RedisStreamEventBus({ serviceName: 'dock', redis, streamPrefix });
    const publisher = new Publisher({ serviceName: 'dock', bus });
    for (let number = 1; number <= count; number += 1) {
      await publisher.publish(draft(number));
      if (pauseMs > 0) await sleep(pauseMs);
    }
    await bus.shutdown();
  }

  /** Ids of the events in the stream, in its order. */
  async eventIds(): Promise<string[]> {
    const entries = await this.redis.xrange(this.stream, '-', '+');
    return entries.map(([, fields]) => fields[1]!);
  }

  /** What is pending for a group, in the order of the stream. */
  async pending(group: string): Promise<PendingEntry[]> {
    const found = (await this.redis
      .xpending(this.stream, group, '-', '+', 1_000)
      .catch(noSuchGroup)) as [string, string, number, number][];
    const entries = new Map(await this.redis.xrange(this.stream, '-', '+'));
    return found.map(([id, consumer, , deliveries]) => ({
      eventId: entries.get(id)?.[1] ?? id,
      consumer,
      deliveries,
    }));
  }

  /** Names of a group's consumers, sorted. */
  async consumers(group: string): Promise<string[]> {
    const found = (await this.redis.xinfo('CONSUMERS', this.stream, group)) as string[][];
    return found.map((consumer) => consumer[1]!).toSorted();
  }

  async close(): Promise<void> {
    await removeKeys(this.redis, this.prefix);
    await this.redis.quit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function noSuchGroup(error: unknown): [] {
  if (error instanceof Error && error.message.startsWith('NOGROUP')) return [];
  throw error;
}
