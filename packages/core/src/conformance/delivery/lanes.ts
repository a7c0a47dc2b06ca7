import assert from 'node:assert/strict';

import { systemClock } from '../../clock.ts';
import type { TestApi } from '../test-api.ts';
import {
  onDeliveries,
  type DeliveryBench,
  type DeliveryConformanceOptions,
} from './delivery-bench.ts';

/** One event of a key at a time, many keys side by side, as many as was asked for. */
export function describeLanes(
  options: DeliveryConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onDeliveries(options);

  describe('lanes', () => {
    it(
      'handle one event of a key at a time, in order, and each event once',
      bench(async (b) => {
        const group = await b.group('billing', { concurrency: 8, clock: systemClock });
        const busy = new Set<string>();
        const handler = b.handler(async ({ event, context }) => {
          assert.ok(!busy.has(context.key), `two events of ${context.key} at once`);
          busy.add(context.key);
          await systemClock.sleep(Number(event.data) % 3);
          busy.delete(context.key);
        });
        group.on(['order.*'], handler, { retry: { maxRetries: 0 } });
        await group.start();
        const events = Array.from({ length: 200 }, (_, index) =>
          b.event(`order-${index % 10}`, { data: index }),
        );
        for (let at = 0; at < 200; at += 20) await b.publish(...events.slice(at, at + 20));
        await b.observed('processed', 200);
        assert.deepEqual(await b.deadLetters('billing'), []);
        assert.equal(b.calls.length, 200);
        const lastOfKey = new Map<string, number>();
        for (const { event, context } of b.calls) {
          const number = event.data as number;
          assert.ok(number > (lastOfKey.get(context.key) ?? -1), `${context.key} in order`);
          lastOfKey.set(context.key, number);
        }
      }),
    );

    it(
      'follow a concurrency that changes while they run',
      bench(async (b) => {
        const group = await b.group('billing', { concurrency: 1, maxInFlight: 100 });
        const load = new Load(b);
        group.on(
          ['order.*'],
          b.handler(() => load.hold()),
        );
        await group.start();
        await b.publish(...Array.from({ length: 24 }, (_, index) => b.event(`order-${index}`)));
        await load.reaches(1);
        group.setConcurrency(4);
        await load.reaches(4);
        group.setConcurrency(2);
        load.release(4);
        await load.reaches(2);
        await b.quiet();
        assert.equal(load.running, 2);
        load.releaseAll();
        await b.observed('processed', 24);
        assert.equal(b.calls.length, 24);
      }),
    );
  });
}

/** Handlers that are held until they are released, the oldest first. */
class Load {
  readonly #bench: DeliveryBench;
  readonly #held: (() => void)[] = [];
  #free = false;

  constructor(bench: DeliveryBench) {
    this.#bench = bench;
  }

  get running(): number {
    return this.#held.length;
  }

  hold(): Promise<void> {
    if (this.#free) return Promise.resolve();
    const { opened, open } = this.#bench.gate();
    this.#held.push(open);
    return opened;
  }

  release(count: number): void {
    for (const open of this.#held.splice(0, count)) open();
  }

  releaseAll(): void {
    this.#free = true;
    this.release(this.#held.length);
  }

  async reaches(count: number): Promise<void> {
    await this.#bench.until(
      () => this.running === count,
      () => `${count} handlers at once; ${this.running} run`,
    );
  }
}
