import { runOutsideScope } from '@waybill/core/adapter';
import type { Clock } from '@waybill/core';

import { channelName } from '../client/lock-key.ts';
import type { Heads } from './log-appender.ts';
import type { LogTables } from './log-tables.ts';
import { PerClient } from '../client/per-client.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { ThrottledNotice } from '../client/throttled-notice.ts';

export interface LogHeadsOptions {
  readonly client: SqlClient;
  readonly schema: string;
  readonly tables: LogTables;
  readonly clock: Clock;
  readonly pollMs: number;
  readonly noticeEveryMs: number;
}

/** Everybody in this process who reads the same log hears at once what was appended here. */
const neighbours = new PerClient(() => new Set<(heads: Heads) => void>());

/**
 * How far each partition of the log reaches: one look serves all consumers of a transport.
 *
 * Appends of this process are known at once, those of others by a notice or by the next look.
 */
export class LogHeads {
  readonly #options: LogHeadsOptions;
  readonly #neighbours: Set<(heads: Heads) => void>;
  readonly #notice: ThrottledNotice | undefined;
  readonly #channel: string;
  readonly #heads = new Map<number, bigint>();
  readonly #watchers = new Set<() => void>();
  readonly #learn = (heads: Heads): void => this.#raise(heads);
  #stopping: AbortController | undefined;
  #hint = new AbortController();
  #watching: Promise<void> | undefined;

  constructor(options: LogHeadsOptions) {
    const { client, schema, clock, noticeEveryMs } = options;
    this.#options = options;
    this.#neighbours = neighbours.of(client, schema);
    this.#channel = channelName('log', schema);
    if (client.dialect === 'pglite') return;
    this.#notice = new ThrottledNotice({
      client,
      channel: this.#channel,
      everyMs: noticeEveryMs,
      clock,
    });
  }

  /** The next free offset of a partition, as far as it is known here. */
  of(partition: number): bigint {
    return this.#heads.get(partition) ?? 0n;
  }

  /** Everything that is known here. */
  get all(): Heads {
    return this.#heads;
  }

  /** Tells this process, and by a notice the others, what was appended. */
  appended(heads: Heads): void {
    for (const learn of this.#neighbours) learn(heads);
    this.#notice?.send();
  }

  /** Asks the database. */
  async refresh(): Promise<void> {
    const { client, tables } = this.#options;
    const { rows } = await client.query<{ partition: number; next_offset: bigint }>(
      `SELECT partition, next_offset FROM ${tables.head}`,
      [],
      { prepared: true },
    );
    this.#raise(new Map(rows.map((row) => [row.partition, row.next_offset])));
  }

  /** Calls `onChange` whenever a partition has grown. @returns A function that ends it. */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => void this.#watchers.delete(onChange);
  }

  start(): void {
    if (this.#stopping) return;
    this.#stopping = new AbortController();
    this.#neighbours.add(this.#learn);
    this.#watching = runOutsideScope(() => this.#look(this.#stopping!.signal));
  }

  async stop(): Promise<void> {
    this.#stopping?.abort();
    this.#hint.abort();
    this.#neighbours.delete(this.#learn);
    await this.#watching;
    this.#stopping = undefined;
  }

  async #look(stopped: AbortSignal): Promise<void> {
    const { clock, pollMs } = this.#options;
    const unlisten = await this.#listen();
    while (!stopped.aborted) {
      await clock.sleep(pollMs, this.#hint.signal);
      if (stopped.aborted) break;
      this.#hint = new AbortController();
      // Nobody to tell, or nobody to ask: the next look comes soon.
      if (this.#watchers.size > 0) await this.refresh().catch(() => {});
    }
    await unlisten();
  }

  async #listen(): Promise<() => Promise<void>> {
    const { client } = this.#options;
    if (client.dialect === 'pglite') return async () => {};
    try {
      return await client.listen(this.#channel, () => this.#hint.abort());
    } catch {
      // Without notices the polls alone find what others append.
      return async () => {};
    }
  }

  #raise(heads: Heads): void {
    let grown = false;
    for (const [partition, head] of heads) {
      if (head <= this.of(partition)) continue;
      this.#heads.set(partition, head);
      grown = true;
    }
    if (grown) for (const onChange of this.#watchers) onChange();
  }
}
