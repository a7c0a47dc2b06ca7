import { randomUUID } from 'node:crypto';

import type { Observation } from '@waybill/core';
import type { Delivery, Message, Subscription } from '@waybill/core/adapter';
import { Redis } from 'ioredis';
import { vi } from 'vitest';

import { redisUrl } from '../../../scripts/services/test-redis.ts';
import { RedisStreamTransport } from '../src/stream-transport.ts';
import type { RedisStreamTransportOptions } from '../src/stream-transport-options.ts';

/** Long enough for a slow machine; every wait ends as soon as its condition holds. */
export const waiting = { timeout: 15_000, interval: 5 };

let numbered = 0;

/** A message with a number in its id, so that order can be told. */
export function message(key = 'item-1', given: Partial<Message> = {}): Message {
  numbered += 1;
  const id = `event-${String(numbered).padStart(6, '0')}`;
  const contentType = 'application/cloudevents+json';
  return { id, type: 'item.received', key, contentType, body: `{"number":${numbered}}`, ...given };
}

/** Streams under a prefix of a test's own, and whoever works on them. */
export class StreamBench {
  readonly prefix: string = `test:${randomUUID()}:`;
  /** Looks at the server as a person would. */
  readonly redis: Redis;
  readonly observed: Observation[] = [];
  readonly #url: string;
  readonly #open: RedisStreamTransport[] = [];

  constructor(url: string = redisUrl()) {
    this.#url = url;
    this.redis = new Redis(url);
  }

  get stream(): string {
    return `${this.prefix}item`;
  }

  /** Another transport, connected, as another process would have it. */
  async connect(given: Partial<RedisStreamTransportOptions> = {}): Promise<RedisStreamTransport> {
    const transport = new RedisStreamTransport({
      redis: this.redis,
      streamPrefix: this.prefix,
      reclaimEveryMs: 20,
      observer: (seen) => void this.observed.push(seen),
      ...given,
    });
    this.#open.push(transport);
    await transport.connect();
    return transport;
  }

  /** A user with these rights and no others, until it is disposed of. */
  async user(...rights: string[]): Promise<AsyncDisposable & { url: string }> {
    const name = `waybill-${this.prefix.replaceAll(':', '')}`;
    await this.redis.call('ACL', 'SETUSER', name, 'on', 'resetkeys', ...rights, '>secret');
    const url = new URL(this.#url);
    url.username = name;
    url.password = 'secret';
    return {
      url: url.href,
      [Symbol.asyncDispose]: async () => void (await this.redis.call('ACL', 'DELUSER', name)),
    };
  }

  seen<Kind extends Observation['kind']>(kind: Kind): Extract<Observation, { kind: Kind }>[] {
    return this.observed.filter(
      (each): each is Extract<Observation, { kind: Kind }> => each.kind === kind,
    );
  }

  warnings(code: string): string[] {
    return this.seen('warning').flatMap((each) => (each.code === code ? [each.message] : []));
  }

  /** How many entries are pending for each consumer of a group. */
  async pending(group: string): Promise<Record<string, number>> {
    const [, , , consumers] = (await this.redis.xpending(this.stream, group)) as unknown as [
      number,
      string,
      string,
      [string, string][] | null,
    ];
    return Object.fromEntries((consumers ?? []).map(([name, count]) => [name, Number(count)]));
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#open.map((transport) => transport.close()));
    for await (const keys of this.redis.scanStream({ match: `${this.prefix}*`, count: 1_000 })) {
      if (keys.length > 0) await this.redis.del(...(keys as string[]));
    }
    await this.redis.quit();
  }
}

/** A consumer, and everything that it was handed. */
export class StreamProbe {
  readonly deliveries: Delivery[] = [];
  /** What the consumer said of its troubles: an error for each, `undefined` for each end. */
  readonly troubles: unknown[] = [];
  consumer!: Awaited<ReturnType<RedisStreamTransport['subscribe']>>;

  static async subscribe(
    transport: RedisStreamTransport,
    group: string | null,
    { settle = false, ...given }: Partial<Subscription> & { settle?: boolean } = {},
  ): Promise<StreamProbe> {
    const probe = new StreamProbe();
    const subscription: Subscription = {
      group,
      patterns: ['item.*'],
      start: 'earliest',
      maxInFlight: 100,
      worker: `worker-${randomUUID().slice(0, 8)}`,
      onTrouble: (error) => void probe.troubles.push(error),
      ...given,
    };
    probe.consumer = await transport.subscribe(subscription, (delivery) => {
      probe.deliveries.push(delivery);
      if (settle) delivery.settle();
    });
    return probe;
  }

  get ids(): string[] {
    return this.deliveries.map(({ message: { id } }) => id);
  }

  /** Ids with how often each was delivered, this time included. */
  get counts(): [string, number | undefined][] {
    return this.deliveries.map(({ message: { id }, deliveryCount }) => [id, deliveryCount]);
  }

  async received(count: number): Promise<Delivery[]> {
    await vi.waitFor(() => {
      if (this.deliveries.length >= count) return;
      throw new Error(`waited for ${count} deliveries; ${this.deliveries.length} came`);
    }, waiting);
    return this.deliveries;
  }
}
