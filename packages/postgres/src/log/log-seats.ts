import { PerClient } from '../client/per-client.ts';
import type { SqlClient } from '../client/sql-client.ts';

/**
 * Who consumes for which group in this process.
 *
 * On an embedded database, which belongs to one process, this takes the place of the locks; on a
 * server it only spares the consumer that stands by a wait when the other one leaves.
 */
export class LogSeats {
  readonly #taken = new Map<string, object>();
  readonly #standingBy = new Set<() => void>();

  /** @returns False if somebody else of this process has it. */
  take(group: string, who: object): boolean {
    const occupant = this.#taken.get(group);
    if (occupant !== undefined && occupant !== who) return false;
    this.#taken.set(group, who);
    return true;
  }

  isTaken(group: string): boolean {
    return this.#taken.has(group);
  }

  /** Frees the seat, and lets those know who wait for one. */
  leave(group: string, who: object): void {
    if (this.#taken.get(group) === who) this.#taken.delete(group);
    for (const wake of this.#standingBy) wake();
  }

  /** Calls `wake` when a seat may be free. @returns A function that ends it. */
  standBy(wake: () => void): () => void {
    this.#standingBy.add(wake);
    return () => void this.#standingBy.delete(wake);
  }
}

const seats = new PerClient(() => new LogSeats());

export function seatsOf(client: SqlClient, schema: string): LogSeats {
  return seats.of(client, schema);
}
