import { GrowingDelay } from '@waybill/core/adapter';
import type { Clock } from '@waybill/core';

import { closedError } from './closed-error.ts';
import type { PgConnection } from './pg-connection.ts';
import { quoteIdentifier } from './quote-identifier.ts';

type Heard = (payload: string) => void;

const retryDelays = { firstMs: 50, maxMs: 5_000 };

/**
 * Hears notifications on one connection that does nothing else, and re-subscribes when it is lost.
 *
 * What was notified meanwhile is gone, so every channel hears an empty payload after that: look again.
 */
export class PgListener {
  readonly #checkOut: () => Promise<PgConnection>;
  readonly #clock: Clock;
  readonly #channels = new Map<string, Set<Heard>>();
  readonly #closing = new AbortController();
  #connected: Promise<PgConnection> | undefined;

  constructor(checkOut: () => Promise<PgConnection>, clock: Clock) {
    this.#checkOut = checkOut;
    this.#clock = clock;
  }

  /** @returns A function that ends it. */
  async listen(channel: string, heard: Heard): Promise<() => Promise<void>> {
    const listen = `LISTEN ${quoteIdentifier(channel)}`;
    const listeners = this.#channels.get(channel) ?? new Set<Heard>();
    this.#channels.set(channel, listeners.add(heard));
    try {
      const connection = await (this.#connected ??= this.#open());
      await connection.execute(listen);
    } catch (error) {
      this.#connected = undefined;
      this.#forget(channel, heard);
      throw error;
    }
    return () => this.#unlisten(channel, heard);
  }

  /** Ends every subscription and gives the connection up. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#channels.clear();
    const connected = this.#connected;
    this.#connected = undefined;
    // A connection that never came up needs no release.
    const connection = await connected?.catch(() => undefined);
    connection?.discard();
    connection?.release();
  }

  async #unlisten(channel: string, heard: Heard): Promise<void> {
    this.#forget(channel, heard);
    if (this.#channels.has(channel) || !this.#connected) return;
    try {
      await (await this.#connected).execute(`UNLISTEN ${quoteIdentifier(channel)}`);
    } catch {
      // The connection is gone and the subscription with it.
    }
  }

  #forget(channel: string, heard: Heard): void {
    const listeners = this.#channels.get(channel);
    listeners?.delete(heard);
    if (listeners?.size === 0) this.#channels.delete(channel);
  }

  /** One session that listens on every channel there is now. */
  async #open(): Promise<PgConnection> {
    const connection = await this.#checkOut();
    try {
      for (const channel of this.#channels.keys()) {
        await connection.execute(`LISTEN ${quoteIdentifier(channel)}`);
      }
    } catch (error) {
      connection.discard();
      connection.release();
      throw error;
    }
    this.#watch(connection);
    return connection;
  }

  #watch(connection: PgConnection): void {
    const { client } = connection;
    const onNotification = (message: unknown): void => this.#dispatch(message);
    const onLost = (): void => {
      client.removeListener('notification', onNotification);
      client.removeListener('error', onLost);
      client.removeListener('end', onLost);
      if (this.#closing.signal.aborted) return;
      connection.discard();
      connection.release();
      this.#connected = this.#reopen();
      // Whoever listens next sees this error; nobody else waits for it.
      this.#connected.catch(() => {});
    };
    client.on('notification', onNotification);
    client.on('error', onLost);
    client.on('end', onLost);
  }

  async #reopen(): Promise<PgConnection> {
    const delay = new GrowingDelay(retryDelays);
    for (;;) {
      await this.#clock.sleep(delay.next(), this.#closing.signal);
      if (this.#closing.signal.aborted) throw closedError();
      try {
        const connection = await this.#open();
        for (const channel of this.#channels.keys()) this.#dispatch({ channel });
        return connection;
      } catch {
        // Still away; the next round tries again after a longer pause.
      }
    }
  }

  #dispatch(message: unknown): void {
    const { channel, payload } = message as { channel: string; payload?: string };
    for (const heard of this.#channels.get(channel) ?? []) heard(payload ?? '');
  }
}
