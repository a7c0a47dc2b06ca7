import { Publisher, type ConsumerGroup, type Health, type Observation } from '@waybill/core';
import { Redis } from 'ioredis';

import { startTestRedis, type TestRedis } from '../../../scripts/services/test-redis.ts';
import { RedisStreamEventBus } from '../src/redis-stream-event-bus.ts';

/** Who logs in: a user of the test's own, nobody by name or password, or the operator. */
export type Login = 'user' | 'nobody' | 'operator';

const user = 'dock';
const password = 'secret';

/** A server of its own that refuses what a test wants it to, and services on it. */
export class RefusingRedis implements AsyncDisposable {
  readonly server: TestRedis;
  /** Looks at the server as its operator does, whom nothing refuses. */
  readonly admin: Redis;
  readonly #open: { shutdown(): Promise<void> }[] = [];

  private constructor(server: TestRedis) {
    this.server = server;
    this.admin = new Redis(server.url);
    // It comes back by itself after a restart.
    this.admin.on('error', () => {});
  }

  static async start(settings: Readonly<Record<string, string>>): Promise<RefusingRedis> {
    const made = new RefusingRedis(await startTestRedis({ settings }));
    await made.ask('ACL', 'SETUSER', user, 'reset', 'on', `>${password}`, '~*', '&*', '+@all');
    return made;
  }

  ask(command: string, ...args: (string | number)[]): Promise<unknown> {
    return this.admin.call(command, ...args);
  }

  /** Ends every connection but the operator's, and those that are made from now on meet what was changed. */
  async cutConnections(): Promise<void> {
    await this.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  }

  url(login: Login = 'user'): string {
    const url = new URL(this.server.url);
    if (login === 'operator') return url.href;
    url.username = login === 'user' ? user : '';
    url.password = login === 'user' ? password : '';
    return url.href;
  }

  /** A service that publishes and consumes, not started yet. */
  service(name: string, redis: string = this.url()): RefusedService {
    const made = new RefusedService(name, redis);
    this.#open.push(made);
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#open.map((service) => service.shutdown()));
    this.admin.disconnect();
    await this.server.stop();
  }
}

/** A group, a broadcast and a publisher, over one bus. */
export class RefusedService {
  readonly handled: string[] = [];
  readonly heard: string[] = [];
  readonly seen: Observation[] = [];
  readonly group: ConsumerGroup;
  readonly broadcast: ConsumerGroup;
  readonly publisher: Publisher;
  readonly #bus: RedisStreamEventBus;

  constructor(serviceName: string, redis: string) {
    const observer = (seen: Observation): void => void this.seen.push(seen);
    const timing = { timeoutMs: 1_000, blockMs: 100, reclaimEveryMs: 50 };
    this.#bus = new RedisStreamEventBus({ serviceName, redis, observer, ...timing });
    this.publisher = new Publisher({ serviceName, bus: this.#bus, observer });
    this.group = this.#bus.consumers();
    this.group.on(['item.received'], ({ id }) => void this.handled.push(id));
    this.broadcast = this.#bus.consumers(null);
    this.broadcast.on(['item.received'], ({ id }) => void this.heard.push(id));
  }

  async start(): Promise<void> {
    await this.publisher.connect();
    await this.#bus.start();
  }

  async publish(): Promise<string> {
    const draft = { type: 'item.received', subject: 'item-1', data: {} };
    return (await this.publisher.publish(draft)).id;
  }

  get health(): Record<'group' | 'broadcast' | 'publisher', Health> {
    const { group, broadcast, publisher } = this;
    return {
      group: group.health(),
      broadcast: broadcast.health(),
      publisher: publisher.health(),
    };
  }

  count(kind: Observation['kind'], of: string = ''): number {
    return this.seen.filter(
      (seen) => seen.kind === kind && (!of || JSON.stringify(seen).includes(of)),
    ).length;
  }

  async shutdown(): Promise<void> {
    await this.#bus.shutdown({ deadlineMs: 0 });
    await this.publisher.shutdown();
  }
}
