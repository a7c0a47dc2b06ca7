import { ConsumerShell, shareOut } from '@waybill/core/adapter';
import type { Clock, Observer } from '@waybill/core';
import type { Deliver, Range, Subscription, TroubleSource } from '@waybill/core/adapter';

import { LogDelivery } from './log-delivery.ts';
import type { LogHeads } from './log-heads.ts';
import { maxRowsAtOnce, rangeParams, readRanges } from './log-rows.ts';
import type { LogRow } from './log-rows.ts';
import { logTransport } from './log-tables.ts';
import type { LogTables } from './log-tables.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { withinTime } from './within-time.ts';

export interface LogBroadcastOptions {
  readonly client: SqlClient;
  readonly tables: LogTables;
  readonly subscription: Subscription;
  readonly deliver: Deliver;
  /** Just refreshed: what lies before them is not read. */
  readonly heads: LogHeads;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly retryMs: number;
  readonly onClose: () => void;
}

/** A broadcast hands everything out once. */
const anew = { deliveries: 0, mayBeRepeated: false };

/** A subscription without a group: reads what is appended from now on, with a cursor in memory. */
export class LogBroadcast extends ConsumerShell<LogDelivery> {
  readonly #options: LogBroadcastOptions;
  readonly #reading: TroubleSource = this.source();
  /** The next offset to read in each partition. */
  readonly #cursor: Map<number, bigint>;
  #turn = 0;

  constructor(options: LogBroadcastOptions) {
    super({ ...options, transport: logTransport });
    this.#options = options;
    this.#cursor = new Map(options.heads.all);
    this.start();
  }

  settle(delivery: LogDelivery): void {
    this.outlet.settle(delivery);
  }

  protected override async end(): Promise<void> {
    await withinTime(this.#options.clock, super.end());
  }

  protected override async run(): Promise<void> {
    const { heads, onClose } = this.#options;
    const unwatch = heads.watch({ onChange: () => this.wake.call(), source: this.source() });
    try {
      await this.repeat({
        source: this.#reading,
        work: async () => {
          this.outlet.handOut();
          return (await this.#readMore()) ? 'again' : 'wait';
        },
      });
    } finally {
      unwatch();
      onClose();
    }
  }

  /** @returns False if there is nothing to read, or no room for it. */
  async #readMore(): Promise<boolean> {
    const ranges = this.#ranges();
    if (ranges.length === 0) return false;
    const { client, tables, heads } = this.#options;
    const ends = new Map(heads.all);
    const { rows } = await this.#reading.watch(() =>
      client.query<LogRow>(
        `${readRanges(tables.log, 1)} ORDER BY partition, log_offset`,
        rangeParams(ranges),
        { prepared: true },
      ),
    );
    if (this.closing.aborted) return false;
    for (const { partition } of ranges) {
      const last = rows.findLast((row) => row.partition === partition);
      // Nothing where something was: it was deleted, and a broadcast makes no promise about it.
      this.#cursor.set(partition, last ? last.log_offset + 1n : ends.get(partition)!);
    }
    this.outlet.add(rows.map((row) => new LogDelivery(row, anew, this)));
    return true;
  }

  #ranges(): Range[] {
    const ready = [...this.#options.heads.all]
      .map(([partition, head]) => {
        const from = this.#cursorIn(partition, head);
        return { partition, from, available: Number(head - from) };
      })
      .filter(({ available }) => available > 0);
    this.#turn += 1;
    return shareOut(ready, Math.min(this.outlet.room, maxRowsAtOnce), this.#turn);
  }

  /** Where the log has become shorter, everything that comes is news from its new end on. */
  #cursorIn(partition: number, head: bigint): bigint {
    const cursor = this.#cursor.get(partition) ?? 0n;
    if (cursor <= head) return cursor;
    this.#cursor.set(partition, head);
    return head;
  }
}
