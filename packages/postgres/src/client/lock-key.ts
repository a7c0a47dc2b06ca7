import { createHash } from 'node:crypto';

/** A key for `pg_advisory_xact_lock(bigint)`, the same for the same parts in every process. */
export function lockKey(...parts: readonly string[]): bigint {
  return digest(parts).readBigInt64BE(0);
}

/**
 * Stands for the lock of a process whose pool has no connection to keep one with: that it is alive is known by
 * its heartbeat alone.
 */
export const noLock = 0n;

/** A first key for `pg_advisory_xact_lock(integer, integer)`, the same for the same parts in every process. */
export function lockSpace(...parts: readonly string[]): number {
  return digest(parts).readInt32BE(0);
}

/** A channel for LISTEN and NOTIFY: long names would not fit into an identifier. */
export function channelName(what: string, ...parts: readonly string[]): string {
  return `waybill_${what}_${digest(parts).toString('hex', 0, 8)}`;
}

function digest(parts: readonly string[]): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest();
}
