// Moves each item that was received: until the group has handled everything in its streams, or is told to stop.

import { once } from 'node:events';

import { systemClock } from '@waybill/core';
import type { Handler, Observation } from '@waybill/core';
import type { SqlTransaction } from '@waybill/postgres';
import { LedgerClient, tellParent, workerArgs } from '@waybill/testing';

import type { ItemReceived } from '../../support/test-events.ts';
import { openStreamService, type StreamServiceArgs } from '../support/open-stream-service.ts';

export interface ConsumeStreamsArgs extends StreamServiceArgs {
  readonly ledgerUrl: string;
  readonly name: string;
  /** Ends by itself when everything is handled, or stays until SIGTERM. */
  readonly until: 'caught-up' | 'told';
  /** How long each effect takes, in milliseconds. */
  readonly workMs?: number;
  /** How long it keeps its thread busy at the end of each effect, in milliseconds. */
  readonly busyMs?: number;
  /** Ids of events at which it kills its own process. */
  readonly deadly?: readonly string[];
  /** Goes on with its work although it is told that the event is no longer its own. */
  readonly stubborn?: boolean;
  /** Fails at every event instead. */
  readonly failing?: boolean;
  readonly concurrency?: number;
  readonly maxInFlight?: number;
  readonly maxDeliveries?: number;
  /** Longest run of one attempt in milliseconds; a minute unless given. */
  readonly timeoutMs?: number;
  readonly maxRetries?: number;
  /** How long it may take to stop, in milliseconds; 10,000 unless given. */
  readonly deadlineMs?: number;
}

/** What the parent is told of. */
const told = new Set<Observation['kind']>([
  'took-over',
  'stale-refused',
  'duplicate-skipped',
  'dead-lettered',
  'left-unfinished',
]);

const args = workerArgs<ConsumeStreamsArgs>();
// From the start: whoever is told that this is ready may say so at once.
const toldToStop = args.until === 'told' ? once(process, 'SIGTERM') : undefined;
const { name, workMs = 0, deadly = [], failing = false } = args;
const { client, bus, end } = await openStreamService(args, (seen) => {
  if (!told.has(seen.kind)) return;
  const { kind, ...details } = { eventId: undefined, what: undefined, ...seen };
  const { eventId, what } = details;
  void tellParent(kind, { eventId, what });
});
const ledger = await LedgerClient.connect(args.ledgerUrl);
const group = bus.consumers('stock', {
  worker: name,
  timeoutMs: args.timeoutMs ?? 60_000,
  concurrency: args.concurrency ?? 1,
  maxInFlight: args.maxInFlight ?? 20,
  maxDeliveries: args.maxDeliveries ?? 5,
  retry: { maxRetries: args.maxRetries ?? 0, baseDelayMs: 100 },
});

const move: Handler<ItemReceived, SqlTransaction> = async (event, { tx, key, attempt, signal }) => {
  if (failing) throw new Error('there is no shelf for this');
  await tx?.query('INSERT INTO movements (event_id) VALUES ($1)', [event.id]);
  const { number, delivery } = attempt;
  await tellParent('working', { eventId: event.id, delivery });
  if (deadly.includes(event.id)) process.kill(process.pid, 'SIGKILL');
  await systemClock.sleep(workMs, signal);
  if (!args.stubborn) signal.throwIfAborted();
  const identity = { eventId: event.id, group: 'stock', key, keySequence: event.data.keySequence };
  await ledger.report({ kind: 'handled', ...identity, attempt: number, delivery, worker: name });
  if (args.busyMs) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, args.busyMs);
};
group.on(['item.received'], move as Handler, { name: 'move', inbox: client !== undefined });

await group.start();
await tellParent('ready');
if (toldToStop) await toldToStop;
else while (!(await isCaughtUp())) await systemClock.sleep(5);
const unfinished = await group.stop({ deadlineMs: args.deadlineMs });
await tellParent('stopped', { unfinished: unfinished.map(({ eventId }) => eventId) });
ledger.close();
await end();

async function isCaughtUp(): Promise<boolean> {
  const { streams } = await bus.transport.inspect();
  return streams.every(({ groups }) => groups.every(({ pending, lag }) => pending + lag === 0));
}
