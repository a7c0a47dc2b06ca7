import { isEventError } from '@waybill/core';
import { Outlet, runOutsideScope, Wake } from '@waybill/core/adapter';
import type { Clock, Observer } from '@waybill/core';
import type { Consumer, Deliver, Subscription } from '@waybill/core/adapter';

import { LogDelivery } from './log-delivery.ts';
import { rangeParams, readRanges } from './log-group.ts';
import type { LogRow, Range } from './log-group.ts';
import type { LogHeads } from './log-heads.ts';
import type { LogTables } from './log-tables.ts';
import { shareOut } from './share-out.ts';
import type { SqlClient } from '../client/sql-client.ts';

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

const maxRowsAtOnce = 1_000;
/** A broadcast hands everything out once. */
const anew = { deliveries: 0, mayBeRepeated: false };

/** A subscription without a group: reads what is appended from now on, with a cursor in memory. */
export class LogBroadcast implements Consumer {
  readonly finished: Promise<void>;
  readonly #options: LogBroadcastOptions;
  readonly #outlet: Outlet<LogDelivery>;
  readonly #wake = new Wake();
  readonly #closing = new AbortController();
  /** The next offset to read in each partition. */
  readonly #cursor: Map<number, bigint>;
  #turn = 0;

  constructor(options: LogBroadcastOptions) {
    const { subscription, deliver, heads } = options;
    this.#options = options;
    this.#cursor = new Map(heads.all);
    this.#outlet = new Outlet({
      deliver,
      maxInFlight: subscription.maxInFlight,
      onRoom: () => this.#wake.call(),
    });
    const unwatch = heads.watch(() => this.#wake.call());
    this.finished = runOutsideScope(() => this.#run()).finally(() => {
      unwatch();
      options.onClose();
    });
    this.finished.catch(() => {});
  }

  pause(): void {
    this.#outlet.pause();
  }

  resume(): void {
    this.#outlet.resume();
  }

  setMaxInFlight(maxInFlight: number): void {
    this.#outlet.setMaxInFlight(maxInFlight);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#outlet.clear();
    this.#wake.call();
    await this.finished.catch(() => {});
  }

  settle(delivery: LogDelivery): void {
    this.#outlet.settle(delivery);
  }

  async #run(): Promise<void> {
    const { clock, observe, retryMs } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#outlet.handOut();
        if (!(await this.#readMore())) await this.#wake.wait();
      } catch (error) {
        observe({ kind: 'consume-failed', group: '', error });
        if (!isEventError(error) || !error.retryable) throw error;
        await clock.sleep(retryMs, signal);
      }
    }
  }

  /** @returns False if there is nothing to read, or no room for it. */
  async #readMore(): Promise<boolean> {
    const ranges = this.#ranges();
    if (ranges.length === 0) return false;
    const { client, tables, heads } = this.#options;
    const { rows } = await client.query<LogRow>(
      `${readRanges(tables.log, 1)} ORDER BY partition, log_offset`,
      rangeParams(ranges),
      { prepared: true },
    );
    if (this.#closing.signal.aborted) return false;
    for (const { partition } of ranges) {
      const last = rows.findLast((row) => row.partition === partition);
      // Nothing where something was: it was deleted, and a broadcast makes no promise about it.
      this.#cursor.set(partition, last ? last.log_offset + 1n : heads.of(partition));
    }
    this.#outlet.add(rows.map((row) => new LogDelivery(row, anew, this)));
    return true;
  }

  #ranges(): Range[] {
    const { heads } = this.#options;
    const ready = [...heads.all]
      .map(([partition, head]) => {
        const from = this.#cursor.get(partition) ?? 0n;
        return { partition, from, available: Number(head - from) };
      })
      .filter(({ available }) => available > 0);
    this.#turn += 1;
    return shareOut(ready, Math.min(this.#outlet.room, maxRowsAtOnce), this.#turn);
  }
}
