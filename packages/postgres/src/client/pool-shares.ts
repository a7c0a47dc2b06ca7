import type { TransactionCapacity } from '@waybill/core';

/** How many connections must be left to work with, so that one may be taken out for good. */
const leftFor = { listener: 3, lock: 2 } as const;

/** Says whether one more connection can be taken out for good. */
export function keepsOf(size: number, kept: number, what: keyof typeof leftFor): boolean {
  return size - kept - 1 >= leftFor[what];
}

/**
 * Connections that transactions leave to what they call outside themselves: one for each level of nesting. A
 * pool of one has none.
 */
export function spareOf(working: number): number {
  if (working >= 8) return 3;
  return Math.max(Math.min(2, working - 1), 0);
}

/** How many transactions run side by side on a pool, where a listener and a lock have taken what they may. */
export function transactionsOn(size: number): number {
  const kept = size >= 4 ? 2 : size === 3 ? 1 : 0;
  const working = size - kept;
  return working - spareOf(working);
}

/**
 * What a pool can serve.
 *
 * @param size Most connections of the pool.
 * @param setting Says how to get a pool of a size.
 */
export function capacityOf(size: number, setting: (size: number) => string): TransactionCapacity {
  return {
    atOnce: transactionsOn(size),
    toServe(count) {
      let enough = size;
      while (transactionsOn(enough) < count) enough += 1;
      return setting(enough);
    },
  };
}
