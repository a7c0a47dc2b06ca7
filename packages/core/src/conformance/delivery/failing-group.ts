import { systemClock } from '../../clock.ts';
import type { ConsumerGroup } from '../../consume/consumer-group.ts';
import { quickRetry, type DeliveryBench } from './delivery-bench.ts';

/** A running group whose handler `book` fails for one event. */
export async function startFailing(
  b: DeliveryBench,
  name: string,
  failingId: string,
  given: Parameters<DeliveryBench['group']>[1] = {},
): Promise<ConsumerGroup> {
  const group = await b.group(name, { retry: quickRetry, clock: systemClock, ...given });
  const handler = b.handler(({ event }) => {
    if (event.id !== failingId) return;
    throw Object.assign(new Error('cannot be booked'), { code: 'E_BOOK' });
  });
  group.on(['order.*'], handler, { name: 'book' });
  await group.start();
  return group;
}

/** Leaves of events what a handler leaves that dies between its commit and the settlement. */
export async function handleUnsettled(b: DeliveryBench, ...ids: readonly string[]): Promise<void> {
  const { transactions, inbox } = b.subject;
  const { source } = b.event();
  for (const id of ids) {
    const key = { group: b.name('billing'), handler: 'book', source, id };
    await transactions!.run((tx) => inbox!.record(key, tx));
  }
}

/** Takes an event for the group `billing` as a consumer does that dies with it. */
export async function crashWith(
  b: DeliveryBench,
  eventId: string,
  publish: () => Promise<void>,
): Promise<void> {
  const transport = await b.open();
  let taken = false;
  await transport.subscribe(
    {
      group: b.name('billing'),
      patterns: ['*'],
      start: 'latest',
      maxInFlight: 10,
      worker: `crashing-${eventId}`,
    },
    ({ message }) => {
      taken ||= message.id === eventId;
    },
  );
  await publish();
  await b.until(
    () => taken,
    () => 'the event to be handed out',
  );
  await transport.close();
}
