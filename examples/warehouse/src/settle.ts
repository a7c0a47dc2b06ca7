import { setTimeout as sleep } from 'node:timers/promises';
import type { EventBus, PostgresEventStore } from '@quickwms/events';
import type { Warehouse } from './warehouse.ts';

/** Where events are: in the store and its outbox, then in a transport, until they are handled. */
export interface EventPlaces {
  readonly store: Pick<PostgresEventStore, 'getCount' | 'outbox'>;
  readonly transport: Pick<EventBus['transport'], 'inspect'>;
}

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
 * Proves, once the dock is done and every group exists, that nothing is under way. Four looks make the
 * proof, although none of them sees everything at once:
 *
 * 1. and 4. count the events. They are never deleted, so equal counts say that none was committed in
 *    between, also by a transaction that had begun before.
 * 2. finds the outbox empty. A row leaves it only when the transport has the event, and comes with its
 *    event alone: so all events are in the transport now, and stay the only ones until 4.
 * 3. finds nothing unhandled, stream by stream. A delivery counts until its handler's transaction is
 *    committed, so every event was handled when its stream was looked at, and none is handled later.
 *
 * An order such as "outbox, streams, outbox" would prove nothing: a handler may put an event into a stream
 * that was looked at already, and end before its own stream is.
 */
export async function isSettled({ store, transport }: EventPlaces): Promise<boolean> {
  const before = await store.getCount();
  const { waiting } = await store.outbox.status();
  if (waiting > 0 || (await countUnhandled(transport)) > 0) return false;
  return (await store.getCount()) === before;
}

/** Deliveries that services still have to make, over all of them. */
export async function countUnhandled(transport: EventPlaces['transport']): Promise<number> {
  const { streams } = await transport.inspect();
  const groups = streams.flatMap((stream) => stream.groups);
  return groups.reduce((sum, { lag, pending }) => sum + lag + pending, 0);
}
