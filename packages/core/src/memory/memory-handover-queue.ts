import { systemClock, type Clock } from '../clock.ts';
import { assertHandoverQuestions, assertRetirement } from '../transport/handover-queue.ts';
import type {
  Handover,
  HandoverAnswer,
  HandoverClaim,
  HandoverKind,
  HandoverQueue,
  HandoverQuestion,
  NewHandover,
  OpenHandovers,
  Retirement,
} from '../transport/handover-queue.ts';
import { randomIds, type Ids } from '../ids.ts';
import type { TransactionChoice } from '../transaction.ts';
import { MemoryDatabase } from './memory-database.ts';
import type { MemoryTransaction } from './memory-transaction.ts';

interface Row {
  readonly handover: Handover;
  readonly status: 'waiting' | 'done' | 'skipped';
  readonly endedAtMs?: number;
  readonly retirement?: Retirement;
  readonly lease?: {
    readonly token: string;
    readonly worker: string;
    readonly expiresAtMs: number;
  };
}

/** A queue of handovers that lives as long as the process. */
export class MemoryHandoverQueue implements HandoverQueue {
  readonly #database: MemoryDatabase;
  readonly #clock: Clock;
  readonly #ids: Ids;
  /** Its own: two queues of one database do not share their rows. */
  readonly #identity = `memory handovers ${randomIds()}`;
  readonly #rows = new Map<string, Row>();
  /** Row id of each handler's part of each event. */
  readonly #byEvent = new Map<string, string>();
  readonly #retired = new Map<string, Retirement>();
  #lastId = 0;

  constructor(
    database: MemoryDatabase = new MemoryDatabase(),
    { clock = systemClock, ids = randomIds }: { clock?: Clock; ids?: Ids } = {},
  ) {
    this.#database = database;
    this.#clock = clock;
    this.#ids = ids;
  }

  async identity(): Promise<string | null> {
    return this.#identity;
  }

  async add(handovers: readonly NewHandover[], options?: TransactionChoice): Promise<void> {
    const copies = structuredClone(handovers);
    await this.#database.join(options, (tx) => {
      for (const copy of copies) this.#insert(tx, copy);
    });
  }

  async look(questions: readonly HandoverQuestion[]): Promise<readonly HandoverAnswer[]> {
    assertHandoverQuestions(questions);
    return await this.#database.join(undefined, () =>
      questions.map((question) => this.#answer(question)),
    );
  }

  open(group: string): Promise<readonly OpenHandovers[]> {
    return this.#database.join(undefined, () => {
      const waiting = this.#waiting(group);
      const kinds = Map.groupBy(waiting, ({ handover }) => JSON.stringify(kindOf(handover)));
      return [...kinds.values()].map((rows) => {
        const { handler, derived, eventType, eventVersion, enteredAt } = rows[0]!.handover;
        const kind = { handler, derived, eventType, eventVersion };
        return { ...kind, count: rows.length, oldest: enteredAt };
      });
    });
  }

  claim(
    group: string,
    options: {
      readonly kinds: readonly HandoverKind[];
      readonly limit: number;
      readonly leaseMs: number;
      readonly worker: string;
    },
  ): Promise<HandoverClaim[]> {
    const { kinds, limit, leaseMs, worker } = options;
    const wanted = new Set(kinds.map((kind) => JSON.stringify(kindOf(kind))));
    return this.#database.join(undefined, (tx) => {
      const waiting = this.#waiting(group);
      const held = new Set(
        waiting
          .filter((row) => this.#isHeld(row) && row.lease!.worker !== worker)
          .map(({ handover }) => handover.message.key),
      );
      const free = waiting
        .filter((row) => !this.#isHeld(row) && !held.has(row.handover.message.key))
        .filter(({ handover }) => wanted.has(JSON.stringify(kindOf(handover))))
        .slice(0, limit);
      const keys = new Set(free.map(({ handover }) => handover.message.key));
      this.#endLapsed(
        tx,
        waiting.filter(({ handover }) => keys.has(handover.message.key)),
      );
      return free.map((row) => this.#lease(tx, row, { leaseMs, worker }));
    });
  }

  renew(claim: HandoverClaim, leaseMs: number): Promise<boolean> {
    return this.#underClaim(claim, (row) => ({
      ...row,
      lease: { ...row.lease!, expiresAtMs: this.#clock.now() + leaseMs },
    }));
  }

  settle(claim: HandoverClaim): Promise<boolean> {
    const endedAtMs = this.#clock.now();
    return this.#underClaim(claim, ({ handover }) => ({ handover, status: 'done', endedAtMs }));
  }

  release(claim: HandoverClaim): Promise<boolean> {
    return this.#underClaim(claim, ({ handover }) => ({ handover, status: 'waiting' }));
  }

  async retire(group: string, handler: string, retirement: Retirement): Promise<number> {
    assertRetirement(retirement);
    return await this.#database.join(undefined, (tx) => {
      tx.set(this.#retired, JSON.stringify([group, handler]), { ...retirement });
      const rows = this.#waiting(group).filter(({ handover }) => handover.handler === handler);
      const endedAtMs = this.#clock.now();
      for (const { handover } of rows) {
        tx.set(this.#rows, handover.id, { handover, status: 'skipped', endedAtMs, retirement });
      }
      return rows.length;
    });
  }

  reinstate(group: string, handlers: readonly string[]): Promise<void> {
    return this.#database.join(undefined, (tx) => {
      for (const handler of handlers) tx.delete(this.#retired, JSON.stringify([group, handler]));
    });
  }

  prune(olderThanMs: number): Promise<number> {
    const before = this.#clock.now() - olderThanMs;
    return this.#database.join(undefined, (tx) => {
      const ended = [...this.#rows.values()].filter(
        ({ endedAtMs }) => endedAtMs !== undefined && endedAtMs < before,
      );
      for (const { handover } of ended) {
        tx.delete(this.#rows, handover.id);
        tx.delete(this.#byEvent, nameOf(handover, handover.handler));
      }
      return ended.length;
    });
  }

  #insert(tx: MemoryTransaction, given: NewHandover): void {
    const name = nameOf(given, given.handler);
    if (this.#byEvent.has(name)) return;
    this.#lastId += 1;
    const id = String(this.#lastId);
    const nowMs = this.#clock.now();
    const handover: Handover = { ...given, id, enteredAt: new Date(nowMs) };
    const retirement = this.#retired.get(JSON.stringify([given.group, given.handler]));
    const row: Row = retirement
      ? { handover, status: 'skipped', endedAtMs: nowMs, retirement }
      : { handover, status: 'waiting' };
    tx.set(this.#rows, id, row);
    tx.set(this.#byEvent, name, id);
  }

  #answer(question: HandoverQuestion): HandoverAnswer {
    const { group, handlers, key } = question;
    if (handlers.some((handler) => this.#byEvent.has(nameOf(question, handler)))) return 'known';
    const isBehind = this.#waiting(group).some(
      ({ handover }) => handover.message.key === key && handlers.includes(handover.handler),
    );
    return isBehind ? 'waiting' : 'none';
  }

  #lease(
    tx: MemoryTransaction,
    { handover, status }: Row,
    { leaseMs, worker }: { leaseMs: number; worker: string },
  ): HandoverClaim {
    const lease = { token: this.#ids(), worker, expiresAtMs: this.#clock.now() + leaseMs };
    tx.set(this.#rows, handover.id, { handover, status, lease });
    return { handover: structuredClone(handover), token: lease.token };
  }

  #endLapsed(tx: MemoryTransaction, rows: readonly Row[]): void {
    for (const row of rows) {
      if (!row.lease || this.#isHeld(row)) continue;
      const { handover, status } = row;
      tx.set(this.#rows, handover.id, { handover, status });
    }
  }

  #underClaim({ handover, token }: HandoverClaim, next: (row: Row) => Row): Promise<boolean> {
    return this.#database.join(undefined, (tx) => {
      const row = this.#rows.get(handover.id);
      if (row?.lease?.token !== token) return false;
      tx.set(this.#rows, handover.id, next(row));
      return true;
    });
  }

  #waiting(group: string): Row[] {
    return [...this.#rows.values()]
      .filter(({ handover, status }) => handover.group === group && status === 'waiting')
      .sort((a, b) => Number(a.handover.id) - Number(b.handover.id));
  }

  #isHeld({ lease }: Row): boolean {
    return lease !== undefined && lease.expiresAtMs > this.#clock.now();
  }
}

function kindOf({ handler, eventType, eventVersion }: HandoverKind): HandoverKind {
  return { handler, eventType, eventVersion };
}

function nameOf(
  { group, source, eventId }: { group: string; source: string; eventId: string },
  handler: string,
): string {
  return JSON.stringify([group, handler, source, eventId]);
}
