import { EventError, type Clock } from '@waybill/core';

import { redisCodeOf } from './redis-codes.ts';
import { isReply, redisError, replyCodeOf } from './redis-errors.ts';
import type { RedisArgument, RedisLike } from './redis-like.ts';
import type { RedisFactory } from './redis-source.ts';

export interface RedisConnectionSettings {
  readonly factory: RedisFactory;
  /** Shown by `CLIENT LIST`. */
  readonly name: string;
  /** Longest wait for a connection, and for an answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/**
 * What we ask of ioredis: no queue of its own and nothing sent twice behind our back, so that each call
 * has one outcome, at once when the connection breaks; and reconnecting for as long as it takes.
 */
const overrides = {
  lazyConnect: true,
  enableAutoPipelining: false,
  enableOfflineQueue: false,
  enableReadyCheck: true,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  protocol: 2,
  replyMapping: 'legacy',
  stringNumbers: false,
  commandTimeout: undefined,
  blockingTimeout: undefined,
  reconnectOnError: null,
  retryStrategy: (times: number): number =>
    Math.min(times * 50, 1_000) * (0.75 + Math.random() / 2),
};

/** One connection that heals itself; each call ends within its time, whatever happens to the server. */
export class RedisConnection {
  readonly #client: RedisLike;
  readonly #settings: RedisConnectionSettings;
  readonly #reconnected = new Set<() => void>();
  readonly #ready = new Set<(error?: unknown) => void>();
  #lastError: unknown;
  /** True from a refused `SELECT` on: ioredis would go on in database 0. */
  #isElsewhere = false;
  #cancelWait: (() => void) | undefined;
  #wasReady = false;
  #closed = false;

  private constructor(client: RedisLike, settings: RedisConnectionSettings) {
    this.#client = client;
    this.#settings = settings;
    client.on('error', (error: unknown) => this.#failed(error));
    client.on('connect', () => this.#awaitReadiness());
    client.on('close', () => this.#cancelWait?.());
    client.on('ready', () => this.#becameReady());
  }

  /**
   * Makes a connection and waits until it can be used.
   *
   * @throws {EventError} `ACCESS_REFUSED` at once if its user is refused; `TRANSPORT_UNAVAILABLE` if it cannot
   *   be used within the time.
   */
  static async open(settings: RedisConnectionSettings): Promise<RedisConnection> {
    const { factory, name } = settings;
    // Redis takes no other characters.
    const connectionName = name.replaceAll(/[^\x21-\x7e]/g, '_');
    const connectTimeout = settings.timeoutMs;
    const client = await factory({ ...overrides, connectTimeout, connectionName });
    const connection = new RedisConnection(client, settings);
    // A try that fails is followed by the next one; `error` says why, and `whenReady` waits for both.
    client.connect().catch(() => {});
    try {
      await connection.whenReady();
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Calls back each time after the connection was lost and is there again. @returns What ends it. */
  onReconnect(listener: () => void): () => void {
    this.#reconnected.add(listener);
    return () => void this.#reconnected.delete(listener);
  }

  /**
   * Sends a command and waits for its answer.
   *
   * @param timeoutMs Longest wait for the answer, in milliseconds; the connection's own unless given.
   * @throws What Redis answered; `TRANSPORT_UNAVAILABLE` if there was no answer: then it may have been done.
   */
  call(
    command: string,
    args: readonly RedisArgument[],
    options: { timeoutMs?: number; asBuffers?: boolean } = {},
  ): Promise<unknown> {
    // At once where it can be: what is done next must not hold it up.
    if (this.#isReady) return this.#send(command, args, options);
    return this.whenReady().then(() => this.#send(command, args, options));
  }

  get #isReady(): boolean {
    return !this.#closed && !this.#isElsewhere && this.#client.status === 'ready';
  }

  #send(
    command: string,
    args: readonly RedisArgument[],
    options: { timeoutMs?: number; asBuffers?: boolean },
  ): Promise<unknown> {
    const { asBuffers = false, timeoutMs = this.#settings.timeoutMs } = options;
    const answer = asBuffers
      ? this.#client.callBuffer(command, ...args)
      : this.#client.call(command, ...args);
    return this.#within(timeoutMs, command, answer);
  }

  /** `call` as scripts want it. */
  readonly send = (command: string, ...args: RedisArgument[]): Promise<unknown> =>
    this.call(command, args);

  /**
   * Resolves as soon as commands can be sent. What keeps a connection from it that has been usable before is
   * always worth another try: somebody may give a right or a password back.
   *
   * @throws {EventError} `NOT_CONNECTED`, `ACCESS_REFUSED`, `TRANSPORT_UNAVAILABLE`
   */
  async whenReady(): Promise<void> {
    if (this.#closed) throw this.#closedError();
    if (this.#isReady) return;
    const { timeoutMs, clock } = this.#settings;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const done = (error?: unknown): void => (error === undefined ? resolve() : reject(error));
    this.#ready.add(done);
    const cancel = clock.schedule(timeoutMs, () => reject(this.#lastError ?? silence(timeoutMs)));
    try {
      await promise;
    } catch (error) {
      throw redisError(error, 'be reached', { hasWorked: this.#wasReady });
    } finally {
      cancel();
      this.#ready.delete(done);
    }
  }

  /** Breaks the connection, so that whatever waits for it fails, and makes a new one. */
  reset(): void {
    if (this.#client.stream) this.#client.stream.destroy();
    else this.#client.disconnect(true);
  }

  /** Ends it at once; what still waits for an answer fails. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelWait?.();
    const { stream } = this.#client;
    this.#client.disconnect();
    stream?.destroy();
    for (const done of this.#ready) done(this.#closedError());
  }

  async #within(timeoutMs: number, command: string, answer: Promise<unknown>): Promise<unknown> {
    const { clock } = this.#settings;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = clock.schedule(timeoutMs, () => {
      reject(redisError(silence(timeoutMs), `answer ${command}`));
      // Whoever does not answer now would not answer the next one either.
      this.reset();
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      cancel();
      answer.catch(() => {});
    }
  }

  #failed(error: unknown): void {
    const isElsewhere = isSelect(error);
    // It says so because the login failed, and why that was is said next.
    if (isElsewhere && replyCodeOf(error) === 'NOAUTH') return;
    this.#lastError = error;
    if (isElsewhere || isRefusal(error)) for (const done of this.#ready) done(error);
    if (!isElsewhere) return;
    this.#isElsewhere = true;
    this.reset();
  }

  /** Whoever takes a connection and says nothing on it is given up, like one that gives no answer later. */
  #awaitReadiness(): void {
    const { clock, timeoutMs } = this.#settings;
    this.#isElsewhere = false;
    this.#cancelWait?.();
    const cancels = [
      clock.schedule(timeoutMs / 2, () => void this.#askWhy()),
      clock.schedule(timeoutMs, () => this.reset()),
    ];
    this.#cancelWait = () => cancels.forEach((cancel) => cancel());
  }

  /** ioredis waits for a server that loads its data, and says nothing of it. */
  async #askWhy(): Promise<void> {
    const info = await this.#client.call('INFO', 'persistence').catch(() => '');
    if (!/^loading:1/m.test(String(info))) return;
    const message = 'LOADING Redis is loading the dataset in memory';
    this.#lastError = Object.assign(new Error(message), { name: 'ReplyError' });
  }

  #becameReady(): void {
    if (this.#isElsewhere) return;
    this.#cancelWait?.();
    this.#lastError = undefined;
    for (const done of this.#ready) done();
    if (this.#wasReady) for (const listener of this.#reconnected) listener();
    this.#wasReady = true;
  }

  #closedError(): EventError {
    return new EventError('NOT_CONNECTED', 'the connection to Redis was closed', { what: 'redis' });
  }
}

/** Says whether a connection is in another database than was asked for. */
function isSelect(error: unknown): boolean {
  return isReply(error) && (error as { command?: { name?: string } }).command?.name === 'select';
}

function isRefusal(error: unknown): boolean {
  return redisCodeOf(replyCodeOf(error), String(error))?.kind === 'access';
}

function silence(timeoutMs: number): Error {
  return new Error(`no answer within ${timeoutMs} ms`);
}
