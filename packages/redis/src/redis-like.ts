/** What can be an argument of a command. */
export type RedisArgument = string | number | Buffer;

/**
 * As much of a client as this package uses. ioredis has this shape, and so has iovalkey; two copies of a
 * library in one process are no problem.
 *
 * @see https://github.com/redis/ioredis
 */
export interface RedisLike {
  readonly status: string;
  readonly options?: { readonly keyPrefix?: string | undefined };
  readonly isCluster?: boolean;
  /** The socket; destroyed when the server no longer answers on it. */
  readonly stream?: { destroy(): unknown };
  call(command: string, ...args: RedisArgument[]): Promise<unknown>;
  callBuffer(command: string, ...args: RedisArgument[]): Promise<unknown>;
  /** Another client of the same server, with some options changed. */
  duplicate(override?: object): RedisLike;
  connect(): Promise<void>;
  disconnect(reconnect?: boolean): void;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** Options of ioredis, of which these are looked at. */
export interface RedisConnectionOptions {
  host?: string;
  port?: number;
  /** Path of a Unix socket, instead of host and port. */
  path?: string;
  username?: string | undefined;
  password?: string | undefined;
  db?: number;
  tls?: object;
  [option: string]: unknown;
}

/** Where Redis is: a client, whose connections are not used but copied, options of ioredis, or a URL. */
export type RedisSource = RedisLike | RedisConnectionOptions | string;
