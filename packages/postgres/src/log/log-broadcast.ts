import { ConsumerShell, shareOut } from '@waybill/core/adapter';
import type { Clock, Observer } from '@waybill/core';
import type { Deliver, Range, Subscription, TroubleSource } from '@waybill/core/adapter';

import { BroadcastCursor } from './log-broadcast-cursor.ts';
import { LogDelivery } from './log-delivery.ts';
import type { LogHeads } from './log-heads.ts';
import { reportLosses, RestoredTrouble } from './log-losses.ts';
import { passes } from './log-passing.ts';
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
  readonly #restored: RestoredTrouble;
  readonly #cursor: BroadcastCursor;
  #turn = 0;

  constructor(options: LogBroadcastOptions) {
    super({ ...options, transport: logTransport });
    this.#options = options;
    this.#restored = new RestoredTrouble(this, options.clock);
    this.#cursor = new BroadcastCursor(options);
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
        passes,
        work: async () => {
          await this.#lookAgain();
          this.outlet.handOut();
          return (await this.#readMore()) ? 'again' : 'wait';
        },
      });
    } finally {
      this.#restored.end();
      unwatch();
      onClose();
    }
  }

  /** @returns False if there is nothing to read, or no room for it. */
  async #readMore(): Promise<boolean> {
    const ranges = this.#ranges();
    if (ranges.length === 0) return false;
    const { client, tables, heads } = this.#options;
    const { rows } = await this.#reading.watch(() =>
      client.query<LogRow & { readonly connection: number }>(
        `SELECT found.*, pg_backend_pid() AS connection FROM (${readRanges(tables.log, 1)}) AS found
         ORDER BY partition, log_offset`,
        rangeParams(ranges),
        { prepared: true },
      ),
    );
    if (this.closing.aborted) return false;
    // Read once more, when it is known that it is the same log.
    if (rows.length > 0 && !heads.meet(rows[0]!.connection)) return true;
    for (const row of rows) this.#cursor.read(row);
    this.outlet.add(rows.map((row) => new LogDelivery(row, anew, this)));
    for (const { partition } of ranges) {
      if (rows.some((row) => row.partition === partition)) continue;
      await this.#reading.watch(() => this.#cursor.passOver(partition));
    }
    return true;
  }

  /** Before the first read of each new connection, and where the log is shorter: it may be another log. */
  async #lookAgain(): Promise<void> {
    const losses = await this.#reading.watch(() => this.#cursor.lookAgain());
    if (losses.length === 0) return;
    this.#restored.begin(reportLosses(this.#options.observe, undefined, losses));
  }

  #ranges(): Range[] {
    const ready = [...this.#options.heads.all]
      .map(([partition, head]) => {
        const from = this.#cursor.in(partition);
        return { partition, from, available: Number(head - from) };
      })
      .filter(({ available }) => available > 0);
    this.#turn += 1;
    return shareOut(ready, Math.min(this.outlet.room, maxRowsAtOnce), this.#turn);
  }
}
