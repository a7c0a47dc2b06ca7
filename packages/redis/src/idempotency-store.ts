import { EventError, randomIds } from '@waybill/core';
import { assertKnownOptions, assertName } from '@waybill/core/adapter';
import type { IdempotencyStore, TransactionChoice } from '@waybill/core';
import type {
  IdempotencyClaim,
  IdempotencyClaimOptions,
  IdempotencyRecord,
} from '@waybill/core/adapter';

import { claimScript, endScript, getScript, renewScript } from './idempotency-scripts.ts';
import { assertNoTransaction } from './no-transaction.ts';
import { redisCaller, type RedisCaller } from './redis-caller.ts';
import type { RedisArgument, RedisSource } from './redis-like.ts';
import type { RedisScript } from './redis-script.ts';
import { runScript } from './run-script.ts';

export interface RedisIdempotencyStoreOptions {
  /** A client, which is used as it is and not closed; or options or a URL for a connection of its own. */
  readonly redis: RedisSource | RedisCaller;
  /** What the names of its keys begin with; `waybill:idempotency:` unless given. */
  readonly keyPrefix?: string;
}

/** How long a failure, or a claim that has lapsed, is remembered unless somebody claims the key again. */
const rememberedMs = 7 * 24 * 3_600_000;
/** Longest text of a failure that is kept, in characters. */
const maxErrorLength = 2_000;

/**
 * Claims keys on Redis, each in a hash of its own, by the clock of Redis: what the clocks of the workers
 * say makes no difference.
 *
 * A claim and a result have a time each. Whoever dies holding a claim keeps others out until the claim
 * lapses, not until a result would be forgotten. A lapsed claim goes to the next caller, and from then on
 * its former holder can neither renew nor end it.
 *
 * It is as durable as Redis is. Replication is asynchronous, and with `appendfsync everysec` so is the
 * disk: a claim or a result that was acknowledged right before a failover, or in the last two seconds
 * before a crash of the server, can be lost, and the work is then run again; by two at once if the first
 * still runs. Nor may the server evict keys: set `maxmemory-policy noeviction`. Where that is too weak,
 * use the store in the database.
 *
 * It joins no transaction. Inside a handler that has one it writes at once, and a rollback takes nothing back.
 */
export class RedisIdempotencyStore implements IdempotencyStore {
  readonly #caller: RedisCaller;
  readonly #owned: boolean;
  readonly #keyPrefix: string;

  /** @throws {TypeError} If `redis` or the prefix cannot be used, or an option is not known. */
  constructor(options: RedisIdempotencyStoreOptions) {
    assertKnownOptions('RedisIdempotencyStore', options, { redis: true, keyPrefix: true });
    const { redis, keyPrefix = 'waybill:idempotency:' } = options;
    assertName('keyPrefix', keyPrefix);
    this.#caller = redisCaller(redis, 'waybill-idempotency');
    this.#owned = this.#caller !== redis;
    this.#keyPrefix = keyPrefix;
  }

  /**
   * @throws {EventError} `IDEMPOTENCY_MISMATCH` if the key belongs to another operation; `TX_FOREIGN` if a
   *   transaction is given; `TRANSPORT_UNAVAILABLE`, after which the claim may have been taken and lapses.
   * @throws {TypeError} If the key or the operation is not text of 1 to 255 characters.
   */
  async claim(key: string, options: IdempotencyClaimOptions): Promise<IdempotencyClaim> {
    assertNoTransaction('claim', options, { operation: true, claimMs: true });
    assertName('an idempotency key', key);
    const { operation } = options;
    assertName('the operation of an idempotency key', operation);
    const claimMs = checkedMs('claimMs', options.claimMs);
    const token = randomIds();
    const args = [token, operation, claimMs, rememberedMs];
    const [status, detail] = await this.#run(claimScript, 'claim an idempotency key', key, args);
    if (status === 'mismatch') throw mismatch(key, operation, detail!);
    if (status === 'completed') return { status, result: resultOf(detail) };
    return status === 'held' ? { status } : { status, token };
  }

  /** @throws {EventError} `TRANSPORT_UNAVAILABLE` */
  async renew(key: string, token: string, claimMs: number): Promise<boolean> {
    const args = [token, checkedMs('claimMs', claimMs), rememberedMs];
    return isOne(await this.#run(renewScript, 'renew a claim', key, args));
  }

  /** @throws {EventError} `TX_FOREIGN` if a transaction is given; `TRANSPORT_UNAVAILABLE` */
  async complete(
    key: string,
    token: string,
    result: unknown,
    ttlMs: number,
    options?: TransactionChoice,
  ): Promise<boolean> {
    assertNoTransaction('complete', options, {});
    const text: string | undefined = JSON.stringify(result);
    const fields = text === undefined ? [] : ['result', text];
    const args = [token, randomIds(), checkedMs('ttlMs', ttlMs), 'completed', ...fields];
    return isOne(await this.#run(endScript, 'keep a result', key, args));
  }

  /** The failure is remembered for seven days. @throws {EventError} `TRANSPORT_UNAVAILABLE` */
  async release(key: string, token: string, error: string): Promise<boolean> {
    const reason = error.slice(0, maxErrorLength);
    const args = [token, randomIds(), rememberedMs, 'failed', 'error', reason];
    return isOne(await this.#run(endScript, 'release a claim', key, args));
  }

  /** @throws {EventError} `TRANSPORT_UNAVAILABLE` */
  async get(key: string): Promise<IdempotencyRecord | null> {
    const reply = await this.#run(getScript, 'look an idempotency key up', key, []);
    const [operation, status, result, error] = reply;
    if (operation === null || status === null) return null;
    return {
      key,
      operation,
      status: status as IdempotencyRecord['status'],
      ...(result === null ? {} : { result: resultOf(result) }),
      ...(error === null ? {} : { error }),
    };
  }

  /** Ends the connection, if it is one of its own. Idempotent. */
  close(): void {
    if (this.#owned) this.#caller.close();
  }

  #run<Reply>(
    script: RedisScript<Reply>,
    doing: string,
    key: string,
    args: readonly RedisArgument[],
  ): Promise<Reply> {
    return runScript(this.#caller, script, { doing, keys: [this.#keyPrefix + key], args });
  }
}

function resultOf(text: string | null | undefined): unknown {
  return typeof text === 'string' ? JSON.parse(text) : undefined;
}

/** A client may be set up to give numbers as text. */
function isOne(reply: unknown): boolean {
  return Number(reply) === 1;
}

function mismatch(key: string, operation: string, owner: string): EventError {
  return new EventError(
    'IDEMPOTENCY_MISMATCH',
    `the key ${key} belongs to operation ${owner}, not ${operation}; use another key`,
    { key, operation },
  );
}

/** Whole milliseconds, because Redis counts in them. */
function checkedMs(name: string, ms: number): number {
  const whole = typeof ms === 'number' ? Math.ceil(ms) : 0;
  if (Number.isSafeInteger(whole) && whole > 0) return whole;
  throw new TypeError(`${name} must be a positive number of milliseconds, got ${ms}`);
}
