import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { holding, raise, recording } from '../../test/handlers.ts';
import { Observations } from '../../test/observations.ts';
import { schemaOf } from '../../test/schema.ts';
import { SubscriberBench } from '../../test/subscriber-bench.ts';
import { settle, until } from '../../test/until.ts';
import { Catalogue } from '../event/catalogue.ts';
import { defineEvent } from '../event/event-definition.ts';
import { silentLogger } from '../observer.ts';
import type { Handler, Middleware } from './handler.ts';
import type { SubscriberOptions, SubscriptionOptions } from './subscriber-options.ts';

let bench: SubscriberBench;
let seen: Observations;

beforeEach(() => {
  bench = new SubscriberBench();
  seen = new Observations();
});

afterEach(() => bench.end());

/** A subscriber that has this handler for a broadcast alone, started. */
async function broadcasting(
  handler: Handler,
  options: SubscriberOptions,
  asked: SubscriptionOptions = {},
): Promise<void> {
  const subscriber = bench.subscriber({ observer: seen.observe, ...options });
  subscriber.on('item.*', handler, { ...asked, broadcast: true });
  await subscriber.start();
}

const jitterFactor = 0;
const failing: Handler = () => raise(new Error('no'));

describe("the subscriber's options hold for a broadcast:", () => {
  it('how often it is tried, and how long it waits in between', async () => {
    await broadcasting(failing, { retry: { maxRetries: 2, baseDelayMs: 50, jitterFactor } });
    bench.publish({ id: 'e1' });
    await until(() => seen.of('attempt-failed').length === 1, 'it was tried');
    await bench.clock.advance(200);
    await until(() => seen.of('broadcast-failed').length === 1, 'it failed');
    expect(seen.of('attempt-failed').map(({ willRetryInMs }) => willRetryInMs)).toEqual([
      50,
      100,
      null,
    ]);
  });

  it('how often one handler is tried, which it says itself', async () => {
    const retry = { maxRetries: 5, baseDelayMs: 50, jitterFactor };
    await broadcasting(failing, { retry }, { retry: { maxRetries: 0 } });
    bench.publish({ id: 'e1' });
    await until(() => seen.of('broadcast-failed').length === 1, 'it failed');
    expect(seen.of('attempt-failed').length).toBe(1);
  });

  it.each([
    ['of the subscriber', { timeoutMs: 500 }, {}],
    ['of the handler', { timeoutMs: 90_000 }, { timeoutMs: 500 }],
  ])('the longest run of an attempt, %s', async (_, options, asked) => {
    const slow = holding();
    await broadcasting(slow.handler, { retry: { maxRetries: 0 }, ...options }, asked);
    bench.publish({ id: 'e1' });
    await until(() => slow.begun.length === 1, 'it began');
    await bench.clock.advance(500);
    slow.release('e1');
    await until(() => seen.of('broadcast-failed').length === 1, 'it failed');
    expect(seen.of('broadcast-failed')).toMatchObject([{ error: { code: 'HANDLER_TIMEOUT' } }]);
  });

  it('its middleware, and the logger that handlers are given', async () => {
    const calls: unknown[] = [];
    const around: Middleware = (next) => async (event, context) => {
      calls.push('in');
      await next(event, context);
      calls.push('out');
    };
    const logger = { ...silentLogger };
    await broadcasting((_, context) => void calls.push(context.logger === logger), {
      middleware: [around],
      logger,
    });
    bench.publish({ id: 'e1' });
    await until(() => calls.length === 3, 'it was handled');
    expect(calls).toEqual(['in', true, 'out']);
  });

  it('the catalogue, which brings events up to date, and with strict holds them to it', async () => {
    const graded = defineEvent({
      type: 'item.graded',
      version: 2,
      description: 'An item was graded',
      owner: 'grading',
      schema: schemaOf((data) => {
        const { grade } = data as { grade?: string };
        return grade === 'X' ? [{ message: 'no such grade', path: ['grade'] }] : { grade };
      }),
      upcasters: { 1: (data) => ({ grade: (data as { mark: string }).mark, old: true }) },
    });
    const events: unknown[] = [];
    await broadcasting(({ version, data }) => void events.push([version, data]), {
      catalogue: new Catalogue([graded]),
      strict: true,
    });
    bench.publish(
      { id: 'e1', data: { mark: 'A' } },
      { id: 'e2', version: 2, data: { grade: 'X' } },
    );
    await until(() => seen.of('broadcast-failed').length === 1, 'one failed');
    expect(events).toEqual([[2, { grade: 'A' }]]);
    expect(seen.of('broadcast-failed')).toMatchObject([
      { eventId: 'e2', error: { code: 'PAYLOAD_INVALID' } },
    ]);
  });

  it('how many keys it handles side by side, and how much it takes at once', async () => {
    const slow = holding();
    await broadcasting(slow.handler, { concurrency: 2, maxInFlight: 3 });
    bench.publish({ id: 'e1' }, { id: 'e2' }, { id: 'e3' }, { id: 'e4' });
    await settle();
    expect(slow.begun).toEqual(['e1', 'e2']);
    slow.release('e2');
    await until(() => slow.begun.length === 3, 'the next one began');
    expect(slow.begun).toEqual(['e1', 'e2', 'e3']);
    for (const id of ['e1', 'e3']) slow.release(id);
    await until(() => slow.begun.length === 4, 'the last one began');
    slow.release('e4');
  });

  it('what it is warned of, and what is meant', async () => {
    const slowly: Handler = () => bench.clock.advance(40);
    const options = { slowMs: 30, production: true };
    await broadcasting(slowly, options, { name: 'one' });
    await broadcasting(slowly, { ...options, silence: ['SLOW_HANDLER'] }, { name: 'two' });
    await broadcasting(slowly, options, {
      name: 'three',
      silence: ['SLOW_HANDLER', 'WILDCARD_IN_PRODUCTION'],
    });
    bench.publish({ id: 'e1' });
    await until(() => seen.of('processed').length === 3, 'all have it');
    const told = seen.of('warning').map(({ code, message }) => `${code} ${message.split(' ')[1]}`);
    expect(told.toSorted()).toEqual([
      'SLOW_HANDLER one',
      'WILDCARD_IN_PRODUCTION one',
      'WILDCARD_IN_PRODUCTION two',
    ]);
  });

  it('a pause, from before its start', async () => {
    const subscriber = bench.subscriber();
    const { handled, handler } = recording();
    subscriber.pause();
    subscriber.on('item.*', handler, { broadcast: true });
    await subscriber.start();
    bench.publish({ id: 'e1' });
    await settle();
    expect(handled).toEqual([]);
    subscriber.resume();
    await until(() => handled.length === 1, 'it goes on');
  });
});

describe('what a group needs and a broadcast has no use for', () => {
  it('is left out of what the bus gives it, too', async () => {
    const { transactions, inbox, deadLetters } = bench.stored;
    const bus = bench.bus({
      consumers: { transactions, inbox, deadLetters, start: 'earliest', worker: 'dock-7' },
    });
    bench.publish({ id: 'before' });
    const subscriber = bench.subscriber({}, bus);
    const { handled, handler } = recording();
    subscriber.on('item.*', handler, { broadcast: true });
    await subscriber.start();
    bench.publish({ id: 'e1' });
    await until(() => handled.length === 1, 'it was handled');
    expect(handled).toEqual(['e1']);
    expect(bus.consumers(null).worker).not.toBe('dock-7');
  });
});
