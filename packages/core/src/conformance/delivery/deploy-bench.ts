import assert from 'node:assert/strict';

import { systemClock } from '../../clock.ts';
import type { ConsumerGroup } from '../../consume/consumer-group.ts';
import type { ConsumerGroupOptions } from '../../consume/consumer-group-options.ts';
import type { EventEnvelope } from '../../event/envelope.ts';
import type { HandoverQueue } from '../../transport/handover-queue.ts';
import { itWhen, type RegisterCase, type TestFunction } from '../test-api.ts';
import type { Call, DeliveryBench, DeliveryConformanceOptions } from './delivery-bench.ts';

/** A handler of an instance: the pattern that it takes, and its name unless that is made from the pattern. */
export type HandlerOf = readonly [pattern: string, name?: string];

/** One version of a service, running. */
export interface Instance {
  readonly group: ConsumerGroup;
  /** Calls of its own handlers. */
  readonly calls: readonly Call[];
}

/** What an instance does with its calls, and what its group is told. */
interface InstanceOptions extends Partial<ConsumerGroupOptions> {
  readonly run?: (call: Call) => Promise<void> | void;
}

/** Registers cases in which instances of one group have different handlers. */
export function itWhenHandingOver(
  it: TestFunction,
  { capabilities, handsOver = true }: DeliveryConformanceOptions,
): RegisterCase {
  if (!capabilities.registry) return itWhen(it, false, 'keeps no registry');
  return itWhen(it, handsOver, 'leaves nothing for other instances');
}

/** Starts an instance of the group `billing`. */
export async function startInstance(
  b: DeliveryBench,
  handlers: readonly HandlerOf[],
  { run, ...options }: InstanceOptions = {},
): Promise<Instance> {
  const group = await b.group('billing', { clock: systemClock, ...options });
  const calls: Call[] = [];
  for (const [pattern, name] of handlers) {
    const handler = b.handler((call) => {
      calls.push(call);
      return run?.(call);
    });
    group.on([pattern], handler, name === undefined ? {} : { name });
  }
  await group.start();
  return { group, calls };
}

/** Starts an instance and stops it: what it handles stays registered. */
export async function registerInstance(
  b: DeliveryBench,
  handlers: readonly HandlerOf[],
  options: InstanceOptions = {},
): Promise<void> {
  const { group } = await startInstance(b, handlers, options);
  await group.stop();
}

/** Events of one key, in their order. */
export function eventsOfOneKey(
  b: DeliveryBench,
  count: number,
  given: Partial<EventEnvelope> = {},
): EventEnvelope[] {
  return Array.from({ length: count }, () => b.event('order-1', given));
}

/** Where the instances of the case leave events for each other. */
export async function queueOf(b: DeliveryBench): Promise<HandoverQueue> {
  const queue = b.subject.handovers ?? (await b.open()).handovers;
  assert.ok(queue, 'create() must offer handovers where the transport keeps none');
  return queue;
}

/** How many events wait in the group `billing`, for each handler. */
async function waiting(b: DeliveryBench): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { handler, count } of await (await queueOf(b)).open(b.name('billing'))) {
    counts[handler] = (counts[handler] ?? 0) + count;
  }
  return counts;
}

/** Waits until events wait for handlers as said, and no others. */
export async function waitsFor(
  b: DeliveryBench,
  expected: Readonly<Record<string, number>>,
): Promise<void> {
  let seen = '';
  const wanted = JSON.stringify(Object.entries(expected).sort());
  await b.until(
    async () => (seen = JSON.stringify(Object.entries(await waiting(b)).sort())) === wanted,
    () => `${wanted} to wait; it is ${seen}`,
  );
}

/** Waits until the group `billing` has finished everything, as far as the broker knows. */
export async function allSettled(b: DeliveryBench): Promise<void> {
  const transport = await b.open();
  let left = Number.NaN;
  await b.until(
    async () => {
      const { streams } = await transport.inspect();
      const parts = streams.flatMap(({ groups }) => groups);
      const own = parts.filter(({ name }) => name === b.name('billing'));
      left = own.reduce((sum, { pending, lag }) => sum + pending + lag, 0);
      return left === 0;
    },
    () => `everything to be settled; ${left} are not`,
  );
}

/** Waits until an instance has been called so many times in all. */
export async function isCalled(
  b: DeliveryBench,
  { calls }: Instance,
  count: number,
): Promise<void> {
  await b.until(
    () => calls.length >= count,
    () => `${count} calls of an instance; ${calls.length} came`,
  );
}

/** What was called, as handler and event, sorted. */
export function pairsOf(calls: readonly Call[]): string[] {
  return calls.map(({ handler, event }) => `${handler} ${event.id}`).sort();
}

/** Each handler with each event, sorted. */
export function eachWith(handlers: readonly string[], events: readonly EventEnvelope[]): string[] {
  return handlers.flatMap((handler) => events.map(({ id }) => `${handler} ${id}`)).sort();
}
