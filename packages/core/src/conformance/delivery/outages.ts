import assert from 'node:assert/strict';

import type { ConsumerGroup } from '../../consume/consumer-group.ts';
import type { TestApi } from '../test-api.ts';
import {
  onDeliveries,
  type Call,
  type DeliveryBench,
  type DeliveryConformanceOptions,
} from './delivery-bench.ts';

const never = Number.POSITIVE_INFINITY;

/** What fails keeps nothing else waiting, and what fails for everybody is nobody's fault. */
export function describeOutages(
  options: DeliveryConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onDeliveries(options);

  describe('outages', () => {
    it(
      'takes other keys while more keys wait for a retry than may be in flight',
      bench(async (b) => {
        const retry = { maxRetries: 5, baseDelayMs: 3_600_000, maxDelayMs: 3_600_000 };
        const group = await b.group('billing', {
          concurrency: 2,
          maxInFlight: 4,
          retry,
          outageAfterKeys: never,
        });
        const handled: string[] = [];
        group.on(
          ['order.*'],
          b.handler(({ event }) => {
            if (event.subject!.startsWith('bad-')) throw new Error('no');
            handled.push(event.id);
          }),
        );
        await group.start();
        await b.publish(...range(10).map((number) => b.event(`bad-${number}`)));
        await b.called(10);
        const good = range(10).map((number) => b.event(`good-${number}`));
        await b.publish(...good);
        await b.until(
          () => handled.length === 10,
          () => `ten events of other keys; ${handled.length} came`,
        );
        assert.deepEqual(handled.toSorted(), good.map(({ id }) => id).toSorted());
      }),
    );

    it(
      'holds the events of a handler that fails for one key after another, and loses and repeats none',
      bench(async (b) => {
        let isAway = true;
        const parallel = { concurrency: 4, maxInFlight: 8 };
        // Looking for redrives each few milliseconds would take most of the time that passes here.
        const group = await b.group('billing', { ...parallel, redrivePollMs: 10_000 });
        const handled: Call[] = [];
        group.on(
          ['order.*'],
          b.handler((call) => {
            if (isAway) throw new Error('what it needs is away');
            handled.push(call);
          }),
        );
        await group.start();
        const keys = range(10).map((number) => `order-${number}`);
        const events = [...keys, ...keys].map((subject) => b.event(subject));
        await b.publish(...events);
        await secondsUntil(
          b,
          () => b.seen('attempt-failed').length >= 15,
          () => `fifteen failed attempts; ${b.seen('attempt-failed').length} came`,
        );
        assert.deepEqual(await b.deadLetters('billing'), [], 'an outage makes no dead letters');
        assert.match(group.health().reasons.join(), /has failed for 5 keys in a row/);
        await b.quiet();
        isAway = false;
        await secondsUntil(
          b,
          () => handled.length >= events.length,
          () => `${events.length} events; ${handled.length} were handled`,
        );
        await b.quiet();
        for (const key of new Set(events.map(({ subject }) => subject))) {
          const wanted = events.filter(({ subject }) => subject === key).map(({ id }) => id);
          const got = handled.filter(({ event }) => event.subject === key);
          assert.deepEqual(b.idsOf(got), wanted, 'each once, in the order of the key');
        }
        assert.equal(group.health().status, 'ok');
      }),
    );

    it(
      'makes no dead letters however often a group is stopped and started in an outage, and keeps no others waiting',
      bench(async (b) => {
        const handled: string[] = [];
        let isAway = true;
        const start = async (): Promise<ConsumerGroup> => {
          const group = await b.group('billing', { concurrency: 4 });
          group.on(
            ['order.placed'],
            b.handler(({ event }) => {
              if (isAway) throw new Error('what it needs is away');
              handled.push(event.id);
            }),
            { name: 'book' },
          );
          group.on(['order.paid'], ({ id }) => void handled.push(id), { name: 'pay' });
          await group.start();
          return group;
        };
        const first = await start();
        const events = range(8).map((number) => b.event(`order-${number}`));
        await b.publish(...events);
        let group: ConsumerGroup | undefined = first;
        for (let starts = 1; starts <= 7; starts += 1) {
          group ??= await start();
          const health = group.health.bind(group);
          await secondsUntil(
            b,
            () => health().reasons.join().includes('in a row'),
            () => `an outage after start ${starts}; health is ${JSON.stringify(health())}`,
          );
          const other = b.event(`other-${starts}`, { type: 'order.paid' });
          await b.publish(other);
          await b.until(
            () => handled.includes(other.id),
            () => `an event of the other handler after start ${starts}`,
          );
          const stopped: Promise<unknown> = group.stop({ deadlineMs: 1_000 });
          let isStopped = false;
          void stopped.then(() => (isStopped = true));
          await secondsUntil(
            b,
            () => isStopped,
            () => `stop ${starts}`,
          );
          group = undefined;
        }
        assert.deepEqual(await b.deadLetters('billing'), []);
        isAway = false;
        await start();
        await secondsUntil(
          b,
          () => events.every(({ id }) => handled.includes(id)),
          () => 'everything to be handled when it is over',
        );
      }),
    );
  });
}

/** Moves time on, a second at a time, until the condition holds. */
async function secondsUntil(
  b: DeliveryBench,
  condition: () => boolean,
  what: () => string,
): Promise<void> {
  await b.until(async () => {
    await b.clock.advance(1_000);
    return condition();
  }, what);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}
