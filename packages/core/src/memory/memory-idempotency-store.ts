import { systemClock, type Clock } from '../clock.ts';
import { EventError } from '../errors.ts';
import type {
  IdempotencyClaim,
  IdempotencyClaimOptions,
  IdempotencyRecord,
  IdempotencyStore,
} from '../idempotency/idempotency-store.ts';
import { randomIds, type Ids } from '../ids.ts';
import type { TransactionChoice } from '../transaction.ts';
import { MemoryDatabase } from './memory-database.ts';

interface Row extends IdempotencyRecord {
  /** Of the running claim; nobody has it any more once the row is completed or failed. */
  readonly token?: string;
  /** When the claim lapses or the result is forgotten. A failure waits for the next claim for ever. */
  readonly expiresAtMs: number;
}

/** An idempotency store that lives as long as the process. */
export class MemoryIdempotencyStore implements IdempotencyStore {
  readonly #database: MemoryDatabase;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #rows = new Map<string, Row>();

  constructor(
    database: MemoryDatabase = new MemoryDatabase(),
    { clock = systemClock, ids = randomIds }: { clock?: Clock; ids?: Ids } = {},
  ) {
    this.#database = database;
    this.#clock = clock;
    this.#ids = ids;
  }

  claim(key: string, options: IdempotencyClaimOptions): Promise<IdempotencyClaim> {
    const { operation, claimMs } = options;
    return this.#database.join(options, (tx) => {
      const known = this.#known(key);
      if (known) assertOperation(known, operation);
      if (known?.status === 'completed') return completed(known);
      if (known?.status === 'processing' && this.#isCurrent(known)) return { status: 'held' };
      const token = this.#ids();
      const expiresAtMs = this.#clock.now() + claimMs;
      tx.set(this.#rows, key, { key, operation, status: 'processing', token, expiresAtMs });
      return { status: 'claimed', token };
    });
  }

  renew(key: string, token: string, claimMs: number): Promise<boolean> {
    return this.#change(key, token, (row) => ({
      ...row,
      expiresAtMs: this.#clock.now() + claimMs,
    }));
  }

  async complete(
    key: string,
    token: string,
    result: unknown,
    ttlMs: number,
    options?: TransactionChoice,
  ): Promise<boolean> {
    const kept = copyOf(result);
    const end = ({ operation }: Row): Row => ({
      key,
      operation,
      status: 'completed',
      result: kept,
      expiresAtMs: this.#clock.now() + ttlMs,
    });
    return await this.#change(key, token, end, options);
  }

  release(key: string, token: string, error: string): Promise<boolean> {
    return this.#change(key, token, ({ operation }) => ({
      key,
      operation,
      status: 'failed',
      error,
      expiresAtMs: Infinity,
    }));
  }

  get(key: string): Promise<IdempotencyRecord | null> {
    return this.#database.join(undefined, () => {
      const row = this.#known(key);
      if (!row) return null;
      const { operation, status, result, error } = row;
      return { key, operation, status, result: copyOf(result), error };
    });
  }

  /** Writes only while the token is the one of the running claim. */
  #change(
    key: string,
    token: string,
    next: (row: Row) => Row,
    options?: TransactionChoice,
  ): Promise<boolean> {
    return this.#database.join(options, (tx) => {
      const row = this.#rows.get(key);
      if (!row || row.token !== token) return false;
      tx.set(this.#rows, key, next(row));
      return true;
    });
  }

  /** A result that has expired is as good as forgotten. */
  #known(key: string): Row | undefined {
    const row = this.#rows.get(key);
    return row?.status === 'completed' && !this.#isCurrent(row) ? undefined : row;
  }

  #isCurrent(row: Row): boolean {
    return row.expiresAtMs > this.#clock.now();
  }
}

function assertOperation({ key, operation }: Row, wanted: string): void {
  if (operation === wanted) return;
  throw new EventError(
    'IDEMPOTENCY_MISMATCH',
    `key ${key} belongs to operation ${operation}, not ${wanted}; use another key`,
    { key, operation: wanted },
  );
}

function completed({ result }: Row): IdempotencyClaim {
  return { status: 'completed', result: copyOf(result) };
}

/** What a result is after a trip through JSON, as any other store would give it back. */
function copyOf(result: unknown): unknown {
  return result === undefined ? undefined : JSON.parse(JSON.stringify(result));
}
