import {
  assertKnownOptions,
  assertMaxInFlight,
  assertRange,
  describeStart,
  observeAll,
  OpenConsumers,
  SharedOpening,
} from '@waybill/core/adapter';
import { isEventError } from '@waybill/core';
import type { Observer, PublishOutcome, Transport, TransportInspection } from '@waybill/core';
import type {
  Consumer,
  Deliver,
  GroupRegistry,
  Message,
  Subscription,
  TransportCapabilities,
} from '@waybill/core/adapter';

import { lockKey, noLock } from '../client/lock-key.ts';
import { LogAppender } from './log-appender.ts';
import { LogBroadcast } from './log-broadcast.ts';
import { LogConsumer } from './log-consumer.ts';
import { LogGroup } from './log-group.ts';
import { LogHeads } from './log-heads.ts';
import { inspectLog } from './log-inspection.ts';
import { LogPruner, pruneLog } from './log-retention.ts';
import { seatsOf } from './log-seats.ts';
import type { LogSeats } from './log-seats.ts';
import { LogRegistry } from './log-registry.ts';
import { logTables, logTransport } from './log-tables.ts';
import type { LogTables } from './log-tables.ts';
import { completed } from './log-transport-options.ts';
import type { LogTransportSettings, PostgresLogTransportOptions } from './log-transport-options.ts';
import { ProcessLock } from '../client/process-lock.ts';
import { withinTime } from './within-time.ts';

const retryMs = 250;

/**
 * A partitioned log in two tables: what a small team needs instead of a broker.
 *
 * In each group one process consumes and the others stand by. Over `pg`, a transport with groups keeps
 * one connection of the client's pool busy for as long as it is connected, unless the pool is too small: then a
 * process that was killed is known by its missing heartbeat alone, and its group waits for the lease to end.
 */
export class PostgresLogTransport implements Transport {
  static readonly capabilities: TransportCapabilities = Object.freeze({
    shape: 'log',
    persistent: true,
    history: true,
    broadcast: true,
    deliveryCounts: true,
    keyOrder: 'group',
    fencing: true,
    marks: true,
    registry: true,
  });

  readonly name: string = logTransport;
  readonly capabilities: TransportCapabilities = PostgresLogTransport.capabilities;
  readonly destination: string;
  readonly registry: GroupRegistry;
  readonly #options: LogTransportSettings;
  readonly #observe: Observer;
  readonly #tables: LogTables;
  readonly #seats: LogSeats;
  readonly #consumers = new OpenConsumers();
  readonly #log = new SharedOpening(() => this.#connect());

  /** @throws {TypeError} If the schema is no name, a length is out of range, or an option is not known. */
  constructor(options: PostgresLogTransportOptions) {
    this.#options = completed(options);
    this.#observe = observeAll(options.observer ? [options.observer] : []);
    this.destination = this.#options.destination;
    this.#tables = logTables(this.#options.schema);
    this.registry = new LogRegistry({ client: options.client, tables: this.#tables });
    this.#seats = seatsOf(options.client, this.#options.schema);
  }

  /** @throws {EventError} `ACCESS_REFUSED`, `STORE_UNAVAILABLE`; `STORE_REJECTED` if the tables are not there. */
  async connect(): Promise<void> {
    await this.#log.open();
  }

  /** @throws {EventError} `TRANSPORT_UNAVAILABLE`, `NOT_CONNECTED`, `DESTINATION_CHANGED` */
  async publish(
    messages: readonly Message[],
    { marker }: { readonly marker?: string } = {},
  ): Promise<readonly PublishOutcome[]> {
    const { appender } = await this.#log.opened(this.name);
    return await appender.append(messages, marker);
  }

  /** @throws {EventError} `TRANSPORT_UNAVAILABLE`, `NOT_CONNECTED` */
  async mark(candidate: string): Promise<string> {
    const { appender } = await this.#log.opened(this.name);
    return await appender.mark(candidate);
  }

  /** @throws {EventError} `NOT_CONNECTED`, `STORE_UNAVAILABLE` */
  async subscribe(subscription: Subscription, deliver: Deliver): Promise<Consumer> {
    assertMaxInFlight(subscription.maxInFlight);
    return await this.#consumers.open(async (onClose) => {
      const log = await this.#log.opened(this.name);
      const handing = { subscription, deliver, onClose };
      const { group } = subscription;
      if (group === null) return await this.#listen(log, handing);
      return await this.#join(log, group, handing);
    });
  }

  /** @throws {EventError} `NOT_CONNECTED`, `STORE_UNAVAILABLE` */
  async inspect(): Promise<TransportInspection> {
    await this.#log.opened(this.name);
    const { client } = this.#options;
    if (client.dialect === 'postgres') return await inspectLog(client, this.#tables);
    // The lock of a process that ended is never taken here, so the tables cannot tell.
    return await inspectLog(client, this.#tables, (name) => this.#seats.isTaken(name));
  }

  /**
   * Deletes rows that every group has finished and that are older than this. The transport does so by
   * itself from time to time.
   *
   * @returns How many.
   */
  async prune(options: { olderThanMs?: number } = {}): Promise<number> {
    assertKnownOptions('prune', options, { olderThanMs: true });
    const { client, retentionMs } = this.#options;
    const { olderThanMs = retentionMs } = options;
    assertRange('prune', 'olderThanMs', olderThanMs, 0, Number.MAX_SAFE_INTEGER);
    return await pruneLog(client, this.#tables, olderThanMs);
  }

  async close(): Promise<void> {
    await withinTime(this.#options.clock, this.#closeAll(this.#log.forget()));
  }

  async #closeAll(opening: Promise<OpenLog> | undefined): Promise<void> {
    try {
      await this.#consumers.close();
    } finally {
      const log = await opening?.catch(() => undefined);
      log?.pruner.stop();
      await log?.appender.settled();
      await log?.heads.stop();
      await log?.lock.release();
    }
  }

  async #connect(): Promise<OpenLog> {
    const { client, schema, clock, ids, pollMs, noticeEveryMs, leaseMs } = this.#options;
    const tables = this.#tables;
    const heads = new LogHeads({ client, schema, tables, clock, pollMs, noticeEveryMs });
    await heads.refresh();
    heads.start();
    return {
      heads,
      pruner: this.#newPruner(heads),
      appender: new LogAppender({
        client,
        tables,
        destination: this.destination,
        onAppended: (grown) => heads.appended(grown),
      }),
      lock: new ProcessLock({
        client,
        clock,
        key: lockKey('process', ids()),
        checkEveryMs: leaseMs / 3,
      }),
    };
  }

  async #listen({ heads }: OpenLog, handing: Handing): Promise<Consumer> {
    const { client, clock } = this.#options;
    await heads.refresh();
    return new LogBroadcast({
      ...handing,
      client,
      tables: this.#tables,
      heads,
      clock,
      observe: this.#observe,
      retryMs,
    });
  }

  async #join({ heads, lock }: OpenLog, name: string, handing: Handing): Promise<Consumer> {
    const { client, clock, ids, ...timing } = this.#options;
    const { subscription } = handing;
    const alone = client.dialect === 'pglite';
    const group = new LogGroup(client, this.#tables, name);
    if (await group.ensure(subscription.start)) this.#announceGroup(subscription);
    const ownerLock = alone ? lock.key : await heldKey(lock);
    return new LogConsumer({
      ...handing,
      group,
      heads,
      seats: this.#seats,
      ownerLock,
      alone,
      timing: { ...timing, retryMs },
      clock,
      ids,
      observe: this.#observe,
      onNewGroup: () => this.#announceGroup(subscription),
    });
  }

  #announceGroup({ group, start }: Subscription): void {
    this.#observe({
      kind: 'warning',
      code: 'NEW_GROUP_STARTS',
      message: `group ${group} is new and begins ${describeStart(start)}; say start: 'earliest', 'latest' or a Date to choose`,
    });
  }

  #newPruner(heads: LogHeads): LogPruner {
    const { clock, pruneEveryMs } = this.#options;
    return new LogPruner({
      prune: () => this.prune(),
      everyMs: pruneEveryMs,
      clock,
      observe: this.#observe,
      source: heads.source(),
    });
  }
}

/** The key of a lock once it is held; a pool that is too small for that leaves the heartbeat alone. */
async function heldKey(lock: ProcessLock): Promise<bigint> {
  try {
    await lock.hold();
    return lock.key;
  } catch (error) {
    if (isEventError(error, 'CAPABILITY_MISSING')) return noLock;
    throw error;
  }
}

/** What exists while the transport is connected. */
interface OpenLog {
  readonly heads: LogHeads;
  readonly appender: LogAppender;
  readonly lock: ProcessLock;
  readonly pruner: LogPruner;
}

/** Whom a consumer serves. */
interface Handing {
  readonly subscription: Subscription;
  readonly deliver: Deliver;
  readonly onClose: () => void;
}
