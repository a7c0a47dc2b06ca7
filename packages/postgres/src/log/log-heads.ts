import { GrowingDelay, runOutsideScope, TroubleSources } from '@waybill/core/adapter';
import type { Clock } from '@waybill/core';
import type { TroubleSource } from '@waybill/core/adapter';

import { channelName } from '../client/lock-key.ts';
import type { Heads } from './log-appender.ts';
import { logTransport } from './log-tables.ts';
import type { LogTables } from './log-tables.ts';
import { secondsOf } from './log-watermarks.ts';
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

/** Longest pause between two looks while the database is away, in milliseconds. */
const longestRetryMs = 2_000;

/** Pause after a subscription to the notices has failed, in milliseconds. */
const listenAgainMs = 1_000;
/**
 * Number of the history that a server writes: it begins another one whenever it goes on from an earlier state of its
 * own, or of the server that it was a replica of, and not at a mere restart.
 */
const timeline = `SELECT CASE WHEN pg_is_in_recovery() THEN 'replica'
  ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS timeline`;

/** Most connections that are told apart; more of them are looked at again. */
const maxConnections = 1_000;

interface HeadRow {
  readonly partition: number;
  readonly next_offset: bigint;
  readonly connection: number;
  readonly origin: string;
  readonly looked_at: number;
}

/** Whoever reads the log. */
export interface HeadsWatcher {
  /** Called whenever a partition has grown, or the log is not the one that it was. */
  readonly onChange: () => void;
  /** In trouble while the database cannot be asked. */
  readonly source: TroubleSource;
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
  /** How far each partition had reached before the log was found shorter. */
  #longest: Heads = new Map();
  readonly #connections = new Set<number>();
  #falls = 0;
  #epoch = 0;
  #origin = '';
  #timeline = '';
  #lookedAt = 0;
  #listenAgainAt = 0;
  readonly #watchers = new Set<HeadsWatcher>();
  readonly #troubles: TroubleSources;
  readonly #looking: TroubleSource;
  #trouble: unknown;
  readonly #learn = (heads: Heads): void => this.#raise(heads);
  #stopping: AbortController | undefined;
  #hint = new AbortController();
  #watching: Promise<void> | undefined;

  constructor(options: LogHeadsOptions) {
    const { client, schema, clock, noticeEveryMs } = options;
    this.#options = options;
    this.#neighbours = neighbours.of(client, schema);
    this.#channel = channelName('log', schema);
    const onTrouble = (error: unknown): void => this.#tell(error);
    this.#troubles = new TroubleSources({ onTrouble, clock, transport: logTransport });
    this.#looking = this.#troubles.source();
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

  /** How often the log was found shorter than it had been, and how long it was before the last time. */
  get history(): { readonly falls: number; readonly longest: Heads } {
    return { falls: this.#falls, longest: this.#longest };
  }

  /** Another number whenever the database may be another one: the look came over a new connection, or the log is shorter. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Another text for each database, each failover or recovery of its server, and each time that the log was found shorter. */
  get version(): string {
    return `${this.#origin} ${this.#timeline} ${this.#falls}`;
  }

  /** When the database was asked last, in seconds by its clock. */
  get lookedAt(): number {
    return this.#lookedAt;
  }

  /** Tells this process, and by a notice the others, what was appended. */
  appended(heads: Heads): void {
    for (const learn of this.#neighbours) learn(heads);
    this.#notice?.send();
  }

  /** Asks the database. */
  async refresh(): Promise<void> {
    const { client, tables } = this.#options;
    const before = new Map(this.#heads);
    const { rows } = await client.query<HeadRow>(
      `SELECT h.partition, h.next_offset, pg_backend_pid() AS connection, d.origin,
              ${secondsOf('clock_timestamp()')} AS looked_at
       FROM (SELECT oid::text AS origin FROM pg_catalog.pg_database WHERE datname = current_database()) AS d
       LEFT JOIN ${tables.head} AS h ON true`,
      [],
      { prepared: true },
    );
    await this.#askTimeline(rows[0]!);
    this.#answered(rows[0]!);
    const found = rows.filter(({ partition }) => partition !== null);
    const heads = new Map(found.map((row) => [row.partition, row.next_offset]));
    const isShorter = [...before].some(([partition, head]) => (heads.get(partition) ?? 0n) < head);
    if (isShorter) this.#replace(heads);
    else this.#raise(heads);
  }

  /** Takes note over which connection something was read. @returns False if it is a new one. */
  meet(connection: number): boolean {
    if (this.#connections.has(connection)) return true;
    if (this.#connections.size >= maxConnections) this.#connections.clear();
    this.#connections.add(connection);
    this.#change();
    return false;
  }

  /** Over each new connection. A hosted server may refuse it; then the rows alone tell that it has gone back. */
  async #askTimeline({ connection }: HeadRow): Promise<void> {
    const { client } = this.#options;
    if (client.dialect === 'pglite' || this.#connections.has(connection)) return;
    try {
      const { rows } = await client.query<{ timeline: string }>(timeline, []);
      this.#timeline = rows[0]!.timeline;
    } catch {
      // The one that is known stands.
    }
  }

  /** Takes note of who has answered. */
  #answered({ connection, origin, looked_at }: HeadRow): void {
    const isOther = origin !== this.#origin;
    this.#origin = origin;
    this.#lookedAt = looked_at;
    if (this.meet(connection) && isOther) this.#change();
  }

  /** The database may not be the one that it was: whoever reads has to look. */
  #change(): void {
    this.#epoch += 1;
    for (const { onChange } of this.#watchers) onChange();
  }

  /** Tells whoever reads what changes, until the returned function is called. */
  watch(watcher: HeadsWatcher): () => void {
    this.#watchers.add(watcher);
    if (this.#trouble !== undefined) watcher.source.failed(this.#trouble);
    return () => void this.#watchers.delete(watcher);
  }

  /** Something more that whoever reads has to hear of when it fails. */
  source(): TroubleSource {
    return this.#troubles.source();
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
    const maxMs = Math.max(pollMs, longestRetryMs);
    const retries = new GrowingDelay({ firstMs: pollMs, maxMs });
    let unlisten = await this.#listen();
    for (let delayMs = pollMs; !stopped.aborted;) {
      await clock.sleep(delayMs, this.#hint.signal);
      if (stopped.aborted) break;
      this.#hint = new AbortController();
      // Where there is nobody to tell there is nothing to ask.
      const isAnswered = this.#watchers.size === 0 || (await this.#tryRefresh());
      if (isAnswered) {
        retries.reset();
        unlisten ??= await this.#listen();
      }
      delayMs = isAnswered ? pollMs : retries.next();
    }
    await unlisten?.();
  }

  async #tryRefresh(): Promise<boolean> {
    try {
      await this.#looking.watch(() => this.refresh());
      return true;
    } catch (error) {
      this.#looking.failed(error);
      return false;
    }
  }

  /** @returns What ends it; nothing if it has failed, or is not its turn to be tried again. */
  async #listen(): Promise<(() => Promise<void>) | undefined> {
    const { client, clock } = this.#options;
    if (client.dialect === 'pglite') return async () => {};
    if (clock.now() < this.#listenAgainAt) return undefined;
    try {
      return await client.listen(this.#channel, () => this.#hint.abort());
    } catch {
      // Until it is tried again the polls alone find what others append; a database that is away they report.
      this.#listenAgainAt = clock.now() + listenAgainMs;
      return undefined;
    }
  }

  #raise(heads: Heads): void {
    let grown = false;
    for (const [partition, head] of heads) {
      if (head <= this.of(partition)) continue;
      this.#heads.set(partition, head);
      grown = true;
    }
    if (grown) for (const { onChange } of this.#watchers) onChange();
  }

  /** The log ends before where it has ended: it was emptied, or the database restored. */
  #replace(heads: Heads): void {
    this.#longest = new Map(this.#heads);
    for (const partition of this.#heads.keys()) {
      this.#heads.set(partition, heads.get(partition) ?? 0n);
    }
    this.#raise(heads);
    this.#falls += 1;
    this.#change();
  }

  #tell(error: unknown): void {
    this.#trouble = error;
    for (const { source } of this.#watchers) {
      if (error === undefined) source.gotOn();
      else source.failed(error);
    }
  }
}
