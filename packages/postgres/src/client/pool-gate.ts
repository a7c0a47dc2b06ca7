import { AsyncLocalStorage } from 'node:async_hooks';

import { EventError } from '@waybill/core';
import { throwIfEnded } from '@waybill/core/adapter';
import type { Clock, EndSignal } from '@waybill/core';

import { keepsOf, spareOf } from './pool-shares.ts';

/** A transaction that is open around a call, and the one around that. */
interface Holding {
  open: boolean;
  readonly outer: Holding | undefined;
}

interface Request {
  /** Transactions of this pool that are open around the call. */
  readonly depth: number;
  /** Its work only sends statements, and never waits for another connection of the pool. */
  readonly brief: boolean;
}

interface Waiting extends Request {
  readonly grant: () => void;
}

/** How long a request may wait: until its signal ends, or else for so long. */
export interface Patience {
  readonly signal?: EndSignal | undefined;
  readonly timeoutMs: number | undefined;
  readonly clock: Clock;
}

/**
 * Shares the connections of a pool out, so that whoever holds one and needs another gets it.
 *
 * Transactions whose work may ask for more leave some connections alone: one for each level that they can be
 * nested in, where what is innermost asks for nothing more and so always ends. Whoever is nested deeper than
 * that would wait for itself, and is refused.
 */
export class PoolGate {
  /** Most connections of the pool. */
  readonly #size: number;
  readonly #around = new AsyncLocalStorage<Holding>();
  #waiting: Waiting[] = [];
  #kept = 0;
  #busy = 0;
  #long = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** True while there is one connection to work with. */
  get isSingle(): boolean {
    return this.#working === 1;
  }

  /** @throws {EventError} `TX_SELF_WAIT` if the transactions around the call hold all that it could ever get. */
  assertFree(): void {
    const depth = this.#depth();
    if (depth > this.#spare) throw selfWait(depth, this.#size);
  }

  /**
   * Waits until a connection may be taken.
   *
   * @returns What gives it back; nothing has to be waited for if it is no promise.
   * @throws {EventError} `TX_SELF_WAIT`; `STORE_UNAVAILABLE` if none came free in time; the signal's reason.
   */
  enter(brief: boolean, patience: Patience): (() => void) | Promise<() => void> {
    throwIfEnded(patience.signal);
    this.assertFree();
    const request = { brief, depth: this.#depth() };
    const leave = (): void => this.#leave(request);
    if (!this.#fits(request)) return this.#wait(request, patience).then(() => leave);
    this.#take(request);
    return leave;
  }

  /** Runs what holds a connection that was entered for: what it calls is nested in it. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    const holding = { open: true, outer: this.#around.getStore() };
    try {
      return await this.#around.run(holding, work);
    } finally {
      holding.open = false;
    }
  }

  /**
   * Takes a connection out for good, unless too few are left then.
   *
   * @returns What gives it back.
   * @throws {EventError} `CAPABILITY_MISSING`
   */
  keep(what: 'listener' | 'lock'): () => void {
    if (!keepsOf(this.#size, this.#kept, what)) throw cannotKeep(what, this.#size);
    this.#kept += 1;
    return () => {
      this.#kept -= 1;
      this.#serve();
    };
  }

  get #working(): number {
    return this.#size - this.#kept;
  }

  get #spare(): number {
    return spareOf(this.#working);
  }

  #depth(): number {
    let depth = 0;
    for (let at = this.#around.getStore(); at; at = at.outer) if (at.open) depth += 1;
    return depth;
  }

  #fits({ brief, depth }: Request): boolean {
    if (this.#busy >= this.#working) return false;
    return brief || this.#long < this.#working - this.#spare + depth;
  }

  #take({ brief }: Request): void {
    this.#busy += 1;
    if (!brief) this.#long += 1;
  }

  #leave({ brief }: Request): void {
    this.#busy -= 1;
    if (!brief) this.#long -= 1;
    this.#serve();
  }

  /** In the order in which they came, apart from those that must still wait. */
  #serve(): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => {
      if (!this.#fits(waiting)) return true;
      this.#take(waiting);
      waiting.grant();
      return false;
    });
  }

  #wait(request: Request, { signal, timeoutMs, clock }: Patience): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        cancel?.();
        signal?.removeEventListener('abort', onAbort);
      };
      const waiting: Waiting = { ...request, grant: () => (end(), resolve()) };
      const giveUp = (reason: Error): void => {
        end();
        this.#waiting = this.#waiting.filter((each) => each !== waiting);
        reject(reason);
      };
      const onAbort = (): void => giveUp(signal!.reason as Error);
      const cancel =
        signal || !timeoutMs
          ? undefined
          : clock.schedule(timeoutMs, () => giveUp(noneCameFree(timeoutMs)));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiting);
    });
  }
}

function selfWait(depth: number, size: number): EventError<'TX_SELF_WAIT'> {
  const held = depth === 1 ? 'a transaction that holds' : `${depth} transactions that hold`;
  const enough = depth === 1 ? 2 : depth === 2 ? 5 : 10;
  return new EventError(
    'TX_SELF_WAIT',
    size < enough
      ? `this call needs a connection of its own, and is made in ${held} what a pool of ${size} has for it; pass the transaction as tx, or give the pool max: ${enough} or more (maxConnections: ${enough - 1})`
      : `this call is made in ${held} what a pool has for it; pass the transaction as tx instead of nesting deeper`,
    {},
  );
}

function cannotKeep(what: string, size: number): EventError<'CAPABILITY_MISSING'> {
  return new EventError(
    'CAPABILITY_MISSING',
    `a pool of ${size} has no connection to spare for a ${what}; give it max: 4 or more`,
    { transport: 'postgres', capability: what },
  );
}

function noneCameFree(timeoutMs: number): EventError<'STORE_UNAVAILABLE'> {
  return new EventError(
    'STORE_UNAVAILABLE',
    `no connection of the pool came free within ${timeoutMs} ms; give it more, or do less at once`,
    {},
  );
}
