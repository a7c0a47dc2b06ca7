import { randomUUID } from 'node:crypto';

import { Publisher } from '@waybill/core';
import type { ConsumerChoices, ConsumerGroup, Handler, Observation } from '@waybill/core';
import { RedisStreamEventBus } from '@waybill/redis';
import type { RedisSource, RedisStreamEventBusOptions } from '@waybill/redis';
import { checkLedger } from '@waybill/testing';
import type { Expected, LedgerEntry, LedgerVerdict } from '@waybill/testing';
import { Redis } from 'ioredis';

import { waitUntil } from '../../../../scripts/wait-until.ts';
import type { ItemReceived } from '../../support/test-events.ts';
import { removeKeys } from './remove-keys.ts';

export type BusOptions = Partial<Omit<RedisStreamEventBusOptions, 'streamPrefix' | 'observer'>>;

/**
 * Faults come and go within a few seconds, so everything that waits does so for less; but an answer may be
 * late on a busy machine, and a publish that is given up may be done all the same, and then again.
 */
const quick = {
  claimMs: 3_000,
  reclaimEveryMs: 50,
  blockMs: 200,
  timeoutMs: 5_000,
  trimEveryMs: 100,
};

/**
 * Services of one test that live in its own process, since what dies is the server or the network: they
 * share a stream under a prefix of their own, and a ledger.
 */
export class StreamRig {
  readonly prefix: string = `crash:${randomUUID()}:`;
  /** The stream that carries what `draftOf` makes. */
  readonly stream: string = `${this.prefix}item`;
  readonly entries: LedgerEntry[] = [];
  readonly seen: Observation[] = [];
  /** Where events lie that were published, by their ids. */
  readonly positions: Map<string, string> = new Map();
  /** Talks to the server itself, not through any proxy. */
  readonly admin: Redis;
  readonly #redis: RedisSource;
  readonly #buses: RedisStreamEventBus[] = [];

  /** @param redis How the services reach the server; its URL unless given. */
  constructor(url: string, redis: RedisSource = url) {
    this.#redis = redis;
    this.admin = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
    this.admin.on('error', () => {}); // the server is away on purpose
  }

  bus(serviceName: string, options: BusOptions = {}): RedisStreamEventBus {
    const { prefix: streamPrefix } = this;
    const observer = (observation: Observation): void => void this.seen.push(observation);
    const given = { redis: this.#redis, ...quick, ...options, serviceName, streamPrefix, observer };
    const bus = new RedisStreamEventBus(given);
    bus.on('published', ({ messageId, event }) => void this.positions.set(event.id, messageId));
    this.#buses.push(bus);
    return bus;
  }

  /**
   * Makes a group whose handler enters in the ledger what it has handled.
   *
   * @param before What the handler does first.
   */
  group(
    bus: RedisStreamEventBus,
    name: string,
    choices: ConsumerChoices = {},
    before: Handler = async () => {},
  ): ConsumerGroup {
    const consumers = bus.consumers(name, { service: name, redrivePollMs: 3_600_000, ...choices });
    const { worker } = consumers;
    const handle: Handler = async (event, context) => {
      await before(event, context);
      const { keySequence } = event.data as ItemReceived;
      const { key, attempt } = context;
      const run = { attempt: attempt.number, delivery: attempt.delivery, worker };
      const identity = { eventId: event.id, group: name, key, keySequence };
      this.entries.push({ kind: 'handled', ...identity, ...run });
    };
    consumers.on(['item.received'], handle, { name: 'move' });
    return consumers;
  }

  /** Starts a group whose calls may fail, or take longer than they may on a busy machine: a later try has to do. */
  async started(group: ConsumerGroup): Promise<void> {
    await waitUntil('the group has started', () =>
      group.start().then(
        () => true,
        () => false,
      ),
    );
  }

  publisher(bus: RedisStreamEventBus): Publisher {
    return new Publisher({ serviceName: 'dock', bus });
  }

  /** Ids of what is entered under a kind, each once. */
  ids(kind: LedgerEntry['kind'], group?: string): Set<string> {
    const matching = this.entries.filter((each) => each.kind === kind && each.group === group);
    return new Set(matching.map(({ eventId }) => eventId));
  }

  /** Ids of what was published and not handled by a group. */
  missing(group: string): string[] {
    const handled = this.ids('handled', group);
    return [...this.ids('published')].filter((id) => !handled.has(id));
  }

  /** Waits until a group has handled all that was published. */
  async handledBy(group: string): Promise<void> {
    const what = `${group} has handled everything`;
    await waitUntil(what, () => this.missing(group).length === 0);
  }

  /** Waits until Redis has nothing left for a group, which may just have vanished and be made anew. */
  async settledBy(group: string): Promise<void> {
    await waitUntil(`${group} has settled everything`, async () => {
      const found = await this.admin.xpending(this.stream, group).catch((error: unknown) => {
        if (String(error).includes('NOGROUP')) return undefined;
        throw error;
      });
      return found?.[0] === 0;
    });
  }

  /** Names of the consumers for which something is pending, with how much it is. */
  async holders(group: string): Promise<Map<string, number>> {
    const [, , , found] = (await this.admin.xpending(this.stream, group)) as unknown[];
    const holders = (found ?? []) as [name: string, count: string][];
    return new Map(holders.map(([name, count]) => [name, Number(count)]));
  }

  /** Names of a group's consumers, sorted. */
  async consumers(group: string): Promise<string[]> {
    const found = (await this.admin.xinfo('CONSUMERS', this.stream, group)) as string[][];
    return found.map((consumer) => consumer[1]!).toSorted();
  }

  /** How much a group has still to do: what is pending, and what was not delivered. */
  async backlog(group: string): Promise<number> {
    const found = (await this.admin.xinfo('GROUPS', this.stream)) as unknown[][];
    const fields = found.find((each) => each[1] === group) ?? [];
    const numberOf = (name: string): number => Number(fields[fields.indexOf(name) + 1]);
    const last = String(fields[fields.indexOf('last-delivered-id') + 1]);
    const behind = await this.admin.xrange(this.stream, `(${last}`, '+');
    return numberOf('pending') + behind.length;
  }

  observed<Kind extends Observation['kind']>(kind: Kind): Extract<Observation, { kind: Kind }>[] {
    return this.seen.filter((each) => each.kind === kind) as Extract<Observation, { kind: Kind }>[];
  }

  warnings(code: string): string[] {
    const given = this.observed('warning').filter((warning) => warning.code === code);
    return given.map(({ message }) => message);
  }

  /** @param found Entries made from what is kept elsewhere. */
  verdict(expected: Expected, found: readonly LedgerEntry[] = []): LedgerVerdict {
    return checkLedger([...this.entries, ...found], expected);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#buses.map((bus) => bus.shutdown({ deadlineMs: 0 })));
    if (this.admin.status === 'ready') await removeKeys(this.admin, this.prefix);
    this.admin.disconnect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
