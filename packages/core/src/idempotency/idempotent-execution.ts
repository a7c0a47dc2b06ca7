import { createHash } from 'node:crypto';

import { isText } from '../text.ts';
import { systemClock, type Clock } from '../clock.ts';
import { EventError } from '../errors.ts';
import { runOutsideScope } from '../handler-scope.ts';
import { LeaseKeeper } from '../lease-keeper.ts';
import type { IdempotencyStore } from './idempotency-store.ts';
import { assertKnownOptions, assertName, assertRange } from '../options.ts';
import { messageOfThrown } from '../thrown.ts';

const maxKeyLength = 255;
/** A result is kept for whoever asks again; beyond this it belongs into a table of the caller's own. */
const maxResultBytes = 1024 * 1024;

/** What makes an operation the same operation: each part a string of any length. */
export type IdempotencyKeyParts = Readonly<Record<string, string | undefined>>;

/**
 * Makes a key from its parts, whatever their order.
 *
 * @returns `name=value` of each part, joined by `:`, while that is short and unambiguous; else a hash of
 *   them all. No two different sets of parts share a key. At most 255 characters.
 * @throws {TypeError} If there is no part.
 */
export function generateIdempotencyKey(parts: IdempotencyKeyParts): string {
  const given = Object.entries(parts)
    .filter((part): part is [string, string] => part[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (given.length === 0) throw new TypeError('an idempotency key needs at least one part');
  const readable = given.map(([name, value]) => `${name}=${value}`).join(':');
  const plain = given.flat().every((text) => /^[\w.@/-]+$/.test(text));
  if (plain && readable.length <= maxKeyLength) return readable;
  return `sha256-${createHash('sha256').update(JSON.stringify(given)).digest('hex')}`;
}

export interface IdempotentExecutionOptions {
  store: IdempotencyStore;
  /** How long a claim holds without a sign of life, in milliseconds; 30,000 unless given. Renewed while the work runs. */
  claimMs?: number;
  clock?: Clock;
}

/**
 * Runs work at most once per key, as long as its result is kept.
 *
 * The claim is taken atomically before the work and renewed while it runs, so a crash frees the key
 * after `claimMs`, however long results are kept. It does not reach into other systems: work that was
 * done by a process that died before it could say so is done again.
 */
export class IdempotentExecution {
  readonly #store: IdempotencyStore;
  readonly #claimMs: number;
  readonly #clock: Clock;

  /** @throws {TypeError} If `claimMs` is out of range, or an option is not known. */
  constructor(options: IdempotentExecutionOptions) {
    assertKnownOptions('idempotency', options, { store: true, claimMs: true, clock: true });
    const { store, claimMs = 30_000, clock = systemClock } = options;
    assertRange('idempotency', 'claimMs', claimMs, 10, 86_400_000);
    this.#store = store;
    this.#claimMs = claimMs;
    this.#clock = clock;
  }

  /**
   * Runs `work`, or returns what it returned before under this key.
   *
   * @param ttlSeconds How long the result is kept, 1 second to 10 years; an hour unless given.
   * @throws What `work` threw; the key is free again then.
   * @throws {EventError} `CLAIM_HELD` while another process works under this key; `CLAIM_LOST` if this one
   *   was silent for so long that another took over; `IDEMPOTENCY_MISMATCH` if the key is for another operation.
   */
  async executeIdempotent<T>(
    key: string,
    operation: string,
    work: () => Promise<T> | T,
    ttlSeconds: number = 3_600,
  ): Promise<T> {
    assertKey(key);
    assertName('the operation of an idempotency key', operation);
    assertRange(`idempotency key ${key}`, 'ttlSeconds', ttlSeconds, 1, 315_360_000);
    // The claim must be seen by others at once, so it stays out of a handler's transaction.
    const claim = await this.#store.claim(key, { operation, claimMs: this.#claimMs, tx: null });
    if (claim.status === 'completed') return claim.result as T;
    if (claim.status === 'held') {
      throw new EventError(
        'CLAIM_HELD',
        `another process is running ${operation} under key ${key}; try again later`,
        {
          key,
        },
      );
    }
    return this.#run(key, claim.token, work, ttlSeconds * 1_000);
  }

  /** Says whether work under this key has completed and its result is still kept. */
  async isExecuted(key: string): Promise<boolean> {
    return (await this.#store.get(key))?.status === 'completed';
  }

  /** The kept result; `null` if there is none. */
  async getResult<T = unknown>(key: string): Promise<T | null> {
    const record = await this.#store.get(key);
    return record?.status === 'completed' ? ((record.result ?? null) as T | null) : null;
  }

  async #run<T>(key: string, token: string, work: () => Promise<T> | T, ttlMs: number): Promise<T> {
    const keeper = this.#keepClaim(key, token);
    let result: T;
    try {
      result = await work();
      assertResult(key, result);
    } catch (error) {
      keeper.stop();
      await this.#release(key, token, error);
      throw error;
    }
    keeper.stop();
    if (await this.#store.complete(key, token, result, ttlMs, { tx: null })) return result;
    throw new EventError(
      'CLAIM_LOST',
      `key ${key} was silent for more than ${this.#claimMs} ms and another process took it; its result counts`,
      { key },
    );
  }

  /** Frees the key, unless that fails too: the claim then lapses, and the caller wants to know the first error. */
  async #release(key: string, token: string, error: unknown): Promise<void> {
    const reason = messageOfThrown(error);
    try {
      // A handler's transaction is about to be rolled back, and would take this back with it.
      await runOutsideScope(() => this.#store.release(key, token, reason));
    } catch {
      return;
    }
  }

  /** A claim that is lost nevertheless shows when the result is refused. */
  #keepClaim(key: string, token: string): LeaseKeeper {
    const claimMs = this.#claimMs;
    return new LeaseKeeper({
      leaseMs: claimMs,
      clock: this.#clock,
      renew: () => runOutsideScope(() => this.#store.renew(key, token, claimMs)),
    }).start();
  }
}

function assertKey(key: string): void {
  if (isText(key, maxKeyLength)) return;
  throw new TypeError(
    `an idempotency key must be 1 to ${maxKeyLength} characters; make one with generateIdempotencyKey`,
  );
}

function assertResult(key: string, result: unknown): void {
  const text = result === undefined ? '' : JSON.stringify(result);
  const bytes = Buffer.byteLength(text ?? '');
  if (bytes <= maxResultBytes) return;
  throw new EventError(
    'PAYLOAD_TOO_LARGE',
    `the result kept under idempotency key ${key} has ${bytes} bytes; return a reference to it instead`,
    { eventType: 'idempotency result', bytes, maxBytes: maxResultBytes },
  );
}
