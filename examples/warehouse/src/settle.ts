import { setTimeout as sleep } from 'node:timers/promises';
import type { Warehouse } from './warehouse.ts';

const pollMs = 100;

/**
 * Waits until nothing is under way any more: every event has left the outbox and has been handled by
 * every service, and no handling has brought a new one.
 *
 * @param signal Ends the wait early.
 * @throws Error if a service has stopped by itself.
 */
export async function settle(warehouse: Warehouse, signal: AbortSignal): Promise<void> {
  while (!(await isSettled(warehouse))) {
    const [failure] = warehouse.failures();
    if (failure) throw new Error(failure);
    await sleep(pollMs, undefined, { signal });
  }
}

/**
 * Three looks make one proof. If no event came between the first and the last, all events there are had
 * left the outbox at the second; with nothing waiting at the third, all of them have been handled.
 */
async function isSettled({ store, transport }: Warehouse): Promise<boolean> {
  const before = await store.getLatestSequence();
  const { waiting } = await store.outbox.status();
  if (waiting > 0 || (await countUnhandled(transport)) > 0) return false;
  return (await store.getLatestSequence()) === before;
}

/** Deliveries that services still have to make, over all of them. */
export async function countUnhandled(transport: Warehouse['transport']): Promise<number> {
  const { streams } = await transport.inspect();
  const groups = streams.flatMap((stream) => stream.groups);
  return groups.reduce((sum, { lag, pending }) => sum + lag + pending, 0);
}
