import { assertMaxInFlight, observeAll, OpenConsumers, SharedOpening } from '@waybill/core/adapter';
import type {
  HandoverQueue,
  Observer,
  PublishOutcome,
  Transport,
  TransportInspection,
} from '@waybill/core';
import type {
  Consumer,
  Deliver,
  GroupRegistry,
  Message,
  Subscription,
  TransportCapabilities,
} from '@waybill/core/adapter';

import { zeroId } from './entry-id.ts';
import { RedisHandoverQueue } from './handover-queue.ts';
import { SharedRedis } from './redis-caller.ts';
import { RedisConnection } from './redis-connection.ts';
import { redisError } from './redis-errors.ts';
import { redisFactory, type RedisFactory } from './redis-source.ts';
import { checkServer } from './server-check.ts';
import { StreamAppender } from './stream-appender.ts';
import { cursorsOf, StreamBroadcast } from './stream-broadcast.ts';
import { StreamConsumer } from './stream-consumer.ts';
import { redisTransport } from './stream-delivery.ts';
import type { EntryBytes } from './stream-entry.ts';
import { observeLoss, reportLoss, StreamGroup } from './stream-group.ts';
import { inspectStreams } from './stream-inspection.ts';
import { markServer } from './server-mark.ts';
import { StreamNames } from './stream-names.ts';
import { StreamRegistry } from './stream-registry.ts';
import { StreamReader } from './stream-reader.ts';
import { completed } from './stream-transport-options.ts';
import type {
  RedisStreamTransportOptions,
  StreamTransportSettings,
} from './stream-transport-options.ts';
import { StreamTrimmer } from './stream-trimmer.ts';

/**
 * Redis Streams: one stream for each first segment of a type, and Redis' own consumer groups.
 *
 * The order of a key holds within one stream and one consumer process of a group. Whatever sends short
 * commands shares one connection; each subscription reads on one of its own.
 */
export class RedisStreamTransport implements Transport {
  static readonly capabilities: TransportCapabilities = Object.freeze({
    shape: 'pending-list',
    persistent: true,
    history: true,
    broadcast: true,
    deliveryCounts: true,
    keyOrder: 'process',
    fencing: false,
    marks: true,
    registry: true,
  });

  readonly name: string = redisTransport;
  readonly capabilities: TransportCapabilities = RedisStreamTransport.capabilities;
  readonly destination: string;
  /** What sends short commands. */
  readonly redis: SharedRedis;
  readonly #options: StreamTransportSettings;
  readonly #factory: RedisFactory;
  readonly registry: GroupRegistry;
  readonly handovers: HandoverQueue;
  readonly #names: StreamNames;
  readonly #observe: Observer;
  readonly #appender: StreamAppender;
  readonly #trimmer: StreamTrimmer;
  readonly #consumers = new OpenConsumers();
  /** Streams that are consumed from here. */
  readonly #consumed = new Set<string>();
  readonly #opening = new SharedOpening(() => this.#connect());
  #cancelTrim: (() => void) | undefined;

  /** @throws {TypeError} If Redis cannot be reached like this at all, or an option is not usable. */
  constructor(options: RedisStreamTransportOptions) {
    this.#options = completed(options);
    const { redis, clock, timeoutMs, streamPrefix, connectionName: name } = this.#options;
    this.destination = this.#options.destination;
    this.#factory = redisFactory(redis);
    this.#names = new StreamNames(streamPrefix);
    this.#observe = observeAll(options.observer ? [options.observer] : []);
    this.redis = new SharedRedis({ factory: this.#factory, name, timeoutMs, clock });
    const { send: call } = this.redis;
    const place = { call, names: this.#names, destination: this.destination };
    this.registry = new StreamRegistry(this.redis, this.#names);
    this.handovers = new RedisHandoverQueue({ redis: this.redis, streamPrefix });
    this.#appender = new StreamAppender(place, (stream, until) =>
      observeLoss(this.#observe, { stream, group: undefined, after: zeroId, until }),
    );
    this.#trimmer = new StreamTrimmer({
      call,
      observe: this.#observe,
      maxLength: this.#options.maxStreamLength,
      lossyMaxLength: this.#options.lossyMaxStreamLength,
    });
  }

  streamOf(eventType: string): string {
    return this.#names.streamOf(eventType);
  }

  /** @throws {EventError} `ACCESS_REFUSED`, `TRANSPORT_UNAVAILABLE`; `CAPABILITY_MISSING` if the server is too old. */
  async connect(): Promise<void> {
    try {
      await this.#opening.open();
    } catch (error) {
      throw redisError(error, 'be connected to');
    }
  }

  /** @throws {EventError} `TRANSPORT_UNAVAILABLE`, `NOT_CONNECTED`, `DESTINATION_CHANGED` */
  async publish(
    messages: readonly Message[],
    { marker }: { readonly marker?: string } = {},
  ): Promise<readonly PublishOutcome[]> {
    await this.#opening.opened(this.name);
    return await this.#appender.publish(messages, marker);
  }

  /** @throws {EventError} `TRANSPORT_UNAVAILABLE`, `NOT_CONNECTED` */
  async mark(candidate: string): Promise<string> {
    await this.#opening.opened(this.name);
    return await markServer(this.redis, this.#names, candidate);
  }

  /** @throws {EventError} `TRANSPORT_UNAVAILABLE`, `NOT_CONNECTED` */
  async subscribe(subscription: Subscription, deliver: Deliver): Promise<Consumer> {
    assertMaxInFlight(subscription.maxInFlight);
    try {
      return await this.#consumers.open(async (onClose) => {
        await this.#opening.opened(this.name);
        const handing = { subscription, deliver, onClose };
        const { group } = subscription;
        if (group === null) return await this.#listen(handing);
        return await this.#join(group, handing);
      });
    } catch (error) {
      throw redisError(error, `subscribe group ${subscription.group ?? '(broadcast)'}`);
    }
  }

  /** @throws {EventError} `TRANSPORT_UNAVAILABLE`, `NOT_CONNECTED` */
  async inspect(): Promise<TransportInspection> {
    await this.#opening.opened(this.name);
    try {
      const streams = [...new Set([...this.#streams, ...(await this.#registered())])];
      return await inspectStreams(this.redis.send, streams.toSorted(), this.#options.claimMs);
    } catch (error) {
      throw redisError(error, 'be inspected');
    }
  }

  /**
   * Trims the streams that this process has to do with; the transport does so by itself from time to time.
   *
   * @returns How many entries went.
   * @throws {EventError} `TRANSPORT_UNAVAILABLE`, `NOT_CONNECTED`
   */
  async trim(): Promise<number> {
    await this.#opening.opened(this.name);
    let removed = 0;
    try {
      for (const stream of this.#streams) removed += await this.#trimmer.trim(stream);
      return removed;
    } catch (error) {
      throw redisError(error, 'trim streams');
    }
  }

  async close(): Promise<void> {
    const opening = this.#opening.forget();
    try {
      await this.#consumers.close();
    } finally {
      await opening?.catch(() => {});
      this.#cancelTrim?.();
      await Promise.all([this.#appender.settled(), this.#trimmer.close()]);
      // Unless somebody has connected anew meanwhile.
      if (!this.#opening.current) this.redis.close();
    }
  }

  async #connect(): Promise<void> {
    const connection = await this.redis.open();
    await checkServer(this.redis.send, this.#observe);
    connection.onReconnect(() => void this.#checkLoss());
    const { maxStreamLength, lossyMaxStreamLength } = this.#options;
    if (maxStreamLength ?? lossyMaxStreamLength) this.#scheduleTrim();
  }

  async #join(name: string, handing: Handing): Promise<Consumer> {
    const { subscription } = handing;
    const { send: call } = this.redis;
    const { clock, ...timing } = this.#options;
    const observe = this.#observe;
    const { named, open } = this.#names.streamsOf(subscription.patterns);
    const group = new StreamGroup(name, { open, call, names: this.#names, observe });
    const { created, streams } = await group.join(subscription.start, named);
    group.announce(created, subscription.start);
    for (const stream of streams) this.#consumed.add(stream);
    const reader = await this.#openReader(subscription.worker);
    return new StreamConsumer({
      ...handing,
      group,
      streams,
      reader,
      call,
      bytes: this.#bytes,
      timing,
      clock,
      observe,
    });
  }

  async #listen(handing: Handing): Promise<Consumer> {
    const { subscription } = handing;
    const { clock, ...timing } = this.#options;
    const { named, open } = this.#names.streamsOf(subscription.patterns);
    const found = open ? await this.#registered() : [];
    const cursors = await cursorsOf(this.redis.send, [...new Set([...named, ...found])]);
    const reader = await this.#openReader(subscription.worker);
    return new StreamBroadcast({
      ...handing,
      cursors,
      open,
      findStreams: () => this.#registered(),
      reader,
      bytes: this.#bytes,
      timing,
      clock,
      observe: this.#observe,
    });
  }

  async #openReader(worker: string): Promise<StreamReader> {
    const { clock, timeoutMs, blockMs } = this.#options;
    const name = `${this.#options.connectionName}:${worker}`;
    const settings = { factory: this.#factory, name, timeoutMs, clock };
    const connection = await RedisConnection.open(settings);
    return new StreamReader(connection, { call: this.redis.send, clock, blockMs, timeoutMs });
  }

  readonly #bytes: EntryBytes = async (stream, entryId) => {
    const connection = await this.redis.connection();
    const args = [stream, entryId, entryId];
    const reply = await connection.call('XRANGE', args, { asBuffers: true });
    return (reply as [id: Buffer, fields: Buffer[]][])[0]?.[1];
  };

  /** Streams that this process has to do with. */
  get #streams(): ReadonlySet<string> {
    return new Set([...this.#appender.lastIds.keys(), ...this.#consumed]);
  }

  async #registered(): Promise<string[]> {
    return (await this.redis.send('SMEMBERS', this.#names.streams)) as string[];
  }

  /** After Redis was away: is there what was put there, and what was read from there? */
  async #checkLoss(): Promise<void> {
    const observe = this.#observe;
    try {
      for (const [stream, known] of this.#appender.lastIds) {
        const place = { stream, group: undefined, known };
        if (await reportLoss(this.redis.send, observe, place)) this.#appender.forget(stream);
      }
      for (const each of await this.#consumers.all()) {
        if (each instanceof StreamConsumer) await each.checkLoss();
      }
    } catch (error) {
      // It is away again; the next time it comes back this is asked once more.
      observe({ kind: 'consume-failed', group: '', error });
    }
  }

  #scheduleTrim(): void {
    const { clock, trimEveryMs } = this.#options;
    // Not all processes at the same moment.
    const inMs = trimEveryMs * (0.5 + Math.random() / 2);
    this.#cancelTrim = clock.schedule(inMs, () => {
      // What cannot be trimmed now is found again the next time.
      this.trim().catch(() => {});
      if (this.#opening.current) this.#scheduleTrim();
    });
  }
}

/** Whom a consumer serves. */
interface Handing {
  readonly subscription: Subscription;
  readonly deliver: Deliver;
  readonly onClose: () => void;
}
