import { systemClock, type Clock } from '../clock.ts';
import type {
  DeadLetterClaim,
  DeadLetterFilter,
  DeadLetterQueue,
  RedriveOutcome,
  Resolution,
} from '../consume/dead-letter-queue.ts';
import { assertDeadLetterKeys, type DeadLetterKey } from '../consume/dead-letter-sink.ts';
import type { DeadLetter, DeadLetterStatus, NewDeadLetter } from '../consume/dead-letter.ts';
import { EventError } from '../errors.ts';
import { randomIds, type Ids } from '../ids.ts';
import type { TransactionChoice } from '../transaction.ts';
import { MemoryDatabase } from './memory-database.ts';
import { nameOf, nameOfKey } from './memory-dead-letter-names.ts';
import type { MemoryTransaction } from './memory-transaction.ts';

interface Lease {
  readonly token: string;
  readonly expiresAtMs: number;
}

interface Row {
  readonly deadLetter: DeadLetter;
  readonly lease?: Lease;
}

/** A dead-letter queue that lives as long as the process. */
export class MemoryDeadLetterQueue implements DeadLetterQueue {
  readonly #database: MemoryDatabase;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #rows = new Map<string, Row>();
  /** Row id of each failure that can come again. */
  readonly #byFailure = new Map<string, string>();
  #lastId = 0;

  constructor(
    database: MemoryDatabase = new MemoryDatabase(),
    { clock = systemClock, ids = randomIds }: { clock?: Clock; ids?: Ids } = {},
  ) {
    this.#database = database;
    this.#clock = clock;
    this.#ids = ids;
  }

  async add(failure: NewDeadLetter, options?: TransactionChoice): Promise<string> {
    const copy = structuredClone(failure);
    return await this.#database.join(options, (tx) => {
      const knownId = this.#byFailure.get(nameOf(copy));
      return knownId === undefined ? this.#insert(tx, copy) : this.#merge(tx, knownId, copy);
    });
  }

  get(id: string): Promise<DeadLetter | null> {
    return this.#database.join(undefined, () => this.#copyOf(id));
  }

  async find(keys: readonly DeadLetterKey[]): Promise<readonly (DeadLetter | null)[]> {
    assertDeadLetterKeys(keys);
    return await this.#database.join(undefined, () =>
      keys.map((key) => this.#copyOf(this.#byFailure.get(nameOfKey(key)))),
    );
  }

  async list(filter: DeadLetterFilter = {}): Promise<DeadLetter[]> {
    const limit = checkedLimit(filter.limit);
    return await this.#database.join(undefined, () =>
      this.#oldestFirst()
        .filter(({ deadLetter }) => matches(deadLetter, filter))
        .slice(0, limit)
        .map(({ deadLetter }) => structuredClone(deadLetter)),
    );
  }

  redrive(id: string): Promise<void> {
    return this.#decide(id, ['pending'], (deadLetter) => ({ ...deadLetter, status: 'processing' }));
  }

  resolve(id: string, resolution: Resolution): Promise<void> {
    return this.#end(id, 'resolved', resolution);
  }

  skip(id: string, resolution: Resolution): Promise<void> {
    return this.#end(id, 'skipped', resolution);
  }

  claim(
    group: string,
    { limit, leaseMs }: { limit: number; leaseMs: number; worker: string },
  ): Promise<DeadLetterClaim[]> {
    return this.#database.join(undefined, (tx) =>
      this.#oldestFirst()
        .filter(({ deadLetter, lease }) => {
          const wanted = deadLetter.group === group && deadLetter.status === 'processing';
          return wanted && !(lease && lease.expiresAtMs > this.#clock.now());
        })
        .slice(0, limit)
        .map(({ deadLetter }) => {
          const lease = { token: this.#ids(), expiresAtMs: this.#clock.now() + leaseMs };
          tx.set(this.#rows, deadLetter.id, { deadLetter, lease });
          return { deadLetter: structuredClone(deadLetter), token: lease.token };
        }),
    );
  }

  renew(claim: DeadLetterClaim, leaseMs: number): Promise<boolean> {
    return this.#underClaim(claim, ({ deadLetter }) => ({
      deadLetter,
      lease: { token: claim.token, expiresAtMs: this.#clock.now() + leaseMs },
    }));
  }

  settle(claim: DeadLetterClaim, outcome: RedriveOutcome): Promise<boolean> {
    return this.#underClaim(claim, ({ deadLetter }) => {
      if (outcome.status === 'resolved') {
        return { deadLetter: { ...deadLetter, status: 'resolved', resolvedAt: this.#now() } };
      }
      const { attempts, ...failure } = outcome;
      const totalAttempts = deadLetter.totalAttempts + attempts;
      return { deadLetter: { ...withoutReason(deadLetter), ...failure, totalAttempts } };
    });
  }

  #insert(tx: MemoryTransaction, failure: NewDeadLetter): string {
    this.#lastId += 1;
    const id = String(this.#lastId);
    const deadLetter: DeadLetter = { ...failure, id, status: 'pending', enteredAt: this.#now() };
    tx.set(this.#rows, id, { deadLetter });
    tx.set(this.#byFailure, nameOf(failure), id);
    return id;
  }

  /** A failure after somebody had ended the row opens it again, or nobody would see it. */
  #merge(tx: MemoryTransaction, id: string, failure: NewDeadLetter): string {
    const { deadLetter, lease } = this.#rows.get(id)!;
    const { enteredAt } = deadLetter;
    const status = deadLetter.status === 'processing' ? 'processing' : 'pending';
    const totalAttempts = deadLetter.totalAttempts + failure.totalAttempts;
    tx.set(this.#rows, id, {
      deadLetter: { ...failure, id, status, enteredAt, totalAttempts },
      lease,
    });
    return id;
  }

  #end(id: string, status: 'resolved' | 'skipped', { by, notes }: Resolution): Promise<void> {
    return this.#decide(id, ['pending', 'processing'], (deadLetter) => ({
      ...deadLetter,
      status,
      resolvedAt: this.#now(),
      resolvedBy: by,
      resolutionNotes: notes,
    }));
  }

  /** What an operator decides ends a claim that may be running: its token is gone. */
  #decide(
    id: string,
    from: readonly DeadLetterStatus[],
    next: (deadLetter: DeadLetter) => DeadLetter,
  ): Promise<void> {
    return this.#database.join(undefined, (tx) => {
      const row = this.#rows.get(id);
      if (!row || !from.includes(row.deadLetter.status)) {
        throw unavailable(id, row?.deadLetter.status);
      }
      tx.set(this.#rows, id, { deadLetter: next(row.deadLetter) });
    });
  }

  #underClaim({ deadLetter, token }: DeadLetterClaim, next: (row: Row) => Row): Promise<boolean> {
    return this.#database.join(undefined, (tx) => {
      const row = this.#rows.get(deadLetter.id);
      if (row?.lease?.token !== token) return false;
      tx.set(this.#rows, deadLetter.id, next(row));
      return true;
    });
  }

  #copyOf(id: string | undefined): DeadLetter | null {
    const row = id === undefined ? undefined : this.#rows.get(id);
    return row ? structuredClone(row.deadLetter) : null;
  }

  #oldestFirst(): Row[] {
    return [...this.#rows.values()].sort(
      (a, b) => Number(a.deadLetter.id) - Number(b.deadLetter.id),
    );
  }

  #now(): Date {
    return new Date(this.#clock.now());
  }
}

function matches(deadLetter: DeadLetter, filter: DeadLetterFilter): boolean {
  const { status, group, eventType, fingerprint, afterId = '0' } = filter;
  const typeOf = deadLetter.event?.type ?? deadLetter.eventType;
  return (
    (status === undefined || deadLetter.status === status) &&
    (group === undefined || deadLetter.group === group) &&
    (eventType === undefined || typeOf === eventType) &&
    (fingerprint === undefined || deadLetter.fingerprint === fingerprint) &&
    Number(deadLetter.id) > Number(afterId)
  );
}

/** The reason of the attempt before says nothing about this one, its code and stack included. */
function withoutReason(deadLetter: DeadLetter): DeadLetter {
  const { errorCode: _code, errorStack: _stack, ...rest } = deadLetter;
  return rest;
}

function unavailable(id: string, status: DeadLetterStatus | undefined): EventError {
  const why = status ? `is ${status} already` : 'does not exist';
  return new EventError('DEAD_LETTER_UNAVAILABLE', `dead letter ${id} ${why}`, {
    deadLetterId: id,
    status,
  });
}

function checkedLimit(limit = 100): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= 1_000) return limit;
  throw new TypeError(`limit must be a whole number from 1 to 1,000, got ${limit}`);
}
