import type { Clock } from '@waybill/core';

import type { RedisConnection } from './redis-connection.ts';
import type { RedisArgument } from './redis-like.ts';
import type { RedisCall } from './redis-script.ts';
import type { StreamEntry } from './stream-entry.ts';

/** What one read brought, stream by stream. */
export type ReadEntries = readonly (readonly [stream: string, entries: readonly StreamEntry[]])[];

/** Pause between two tries to end a read that may not have begun at the server yet, in milliseconds. */
const interruptEveryMs = 10;

/** Reads that wait for something to come, on a connection of their own, and can be ended from outside. */
export class StreamReader {
  readonly #connection: RedisConnection;
  readonly #settings: { call: RedisCall; clock: Clock; blockMs: number; timeoutMs: number };
  /** What `CLIENT UNBLOCK` knows the connection by; `null` where the user may not ask. */
  #id: number | null | undefined;
  #reading: symbol | undefined;

  /** @param settings.call Sends on another connection, since this one is busy waiting. */
  constructor(
    connection: RedisConnection,
    settings: { call: RedisCall; clock: Clock; blockMs: number; timeoutMs: number },
  ) {
    this.#connection = connection;
    this.#settings = settings;
    connection.onReconnect(() => (this.#id = undefined));
  }

  /**
   * Waits for entries.
   *
   * @param command `XREADGROUP` or `XREAD`.
   * @param args Everything but how long to wait, which goes before `STREAMS`.
   * @returns Nothing if none came in time, or the read was interrupted.
   */
  async read(
    command: string,
    { before, streams }: { before: readonly RedisArgument[]; streams: readonly RedisArgument[] },
  ): Promise<ReadEntries> {
    const { blockMs, timeoutMs } = this.#settings;
    const reading = (this.#reading = Symbol('read'));
    try {
      if (this.#id === undefined) this.#id = await this.#askId();
      if (this.#reading !== reading) return [];
      const args = [...before, 'BLOCK', blockMs, 'STREAMS', ...streams];
      const reply = await this.#connection.call(command, args, { timeoutMs: blockMs + timeoutMs });
      return (reply ?? []) as ReadEntries;
    } finally {
      if (this.#reading === reading) this.#reading = undefined;
    }
  }

  /** Calls `listener` whenever the connection is there again after it was lost. */
  onReconnect(listener: () => void): void {
    this.#connection.onReconnect(listener);
  }

  /** Lets the read that is under way, if any, end at once; what it has got already, it brings. */
  interrupt(): void {
    const reading = this.#reading;
    if (reading === undefined) return;
    if (this.#id === undefined) this.#reading = undefined;
    else void this.#interrupt(reading);
  }

  close(): void {
    this.#connection.close();
  }

  async #interrupt(reading: symbol): Promise<void> {
    const { call, clock } = this.#settings;
    while (this.#reading === reading && typeof this.#id === 'number') {
      // If it cannot be said, the read ends by itself a little later.
      await call('CLIENT', 'UNBLOCK', this.#id).catch(() => {});
      await clock.sleep(interruptEveryMs);
    }
  }

  async #askId(): Promise<number | null> {
    try {
      return (await this.#connection.call('CLIENT', ['ID'])) as number;
    } catch (error) {
      if (error instanceof Error && error.name === 'ReplyError') return null;
      throw error;
    }
  }
}
