// Inputs 62 and 63: claims and results that end earlier, or later, than the work under them.

import { ManualClock, MemoryIdempotencyStore } from '@waybill/core/memory';
import {
  EventPublisher,
  EventSubscriber,
  IdempotencyHandler,
  MemoryEventBus,
} from '@quickwms/events';
import { describe, expect, it } from 'vitest';

import { waitUntil } from '../../scripts/wait-until.ts';
import { refusalOf } from './support/doors.ts';
import { work } from './support/work.ts';

describe('claims', () => {
  it('62 holds a claim for as long as its work runs, however short it is', async () => {
    const clock = new ManualClock();
    const store = new MemoryIdempotencyStore(undefined, { clock });
    const slow = new IdempotencyHandler({ store, claimMs: 1_000, clock });
    const weighed = work();
    const weighing = slow.executeIdempotent('scale-1', 'weigh', weighed.run, 1);
    await weighed.begun;
    await clock.advance(60_000);
    const second = await refusalOf(() =>
      slow.executeIdempotent('scale-1', 'weigh', () => 'twice', 1),
    );
    expect(second).toMatchObject({
      code: 'CLAIM_HELD',
      retryable: true,
      details: { key: 'scale-1' },
    });
    weighed.finish('12 kg');
    expect(await weighing).toBe('12 kg');
    expect(await slow.executeIdempotent('scale-1', 'weigh', () => 'twice', 1)).toBe('12 kg');
  });

  it('62 counts the time to live of a result from its end, and runs the work anew after it', async () => {
    const clock = new ManualClock();
    const store = new MemoryIdempotencyStore(undefined, { clock });
    const handler = new IdempotencyHandler({ store, clock });
    const weighed = work();
    const weighing = handler.executeIdempotent('scale-1', 'weigh', weighed.run, 1);
    await weighed.begun;
    await clock.advance(60_000);
    weighed.finish('12 kg');
    await weighing;
    await clock.advance(999);
    expect(await handler.getResult('scale-1')).toBe('12 kg');
    await clock.advance(1);
    expect(await handler.getResult('scale-1')).toBeNull();
    expect(await handler.executeIdempotent('scale-1', 'weigh', () => '13 kg', 1)).toBe('13 kg');
  });

  it('62 refuses the result of a worker that was silent for longer than its claim', async () => {
    const clock = new ManualClock();
    const store = new MemoryIdempotencyStore(undefined, { clock });
    const frozen = new IdempotencyHandler({
      store,
      claimMs: 1_000,
      clock: new ManualClock(clock.now()),
    });
    const weighed = work();
    const weighing = frozen.executeIdempotent('scale-1', 'weigh', weighed.run);
    await weighed.begun;
    await clock.advance(1_001);
    const awake = new IdempotencyHandler({ store, clock });
    expect(await awake.executeIdempotent('scale-1', 'weigh', () => '12 kg')).toBe('12 kg');
    weighed.finish('11 kg');
    expect(await refusalOf(() => weighing)).toMatchObject({ code: 'CLAIM_LOST' });
    expect(await awake.getResult('scale-1')).toBe('12 kg');
  });

  it('63 frees a claim that is longer than the timeout of its handler when that handler fails', async () => {
    const dayMs = 86_400_000;
    const operations = new IdempotencyHandler({
      store: new MemoryIdempotencyStore(),
      claimMs: dayMs,
    });
    const bus = new MemoryEventBus({ serviceName: 'quickgradez' });
    const outcomes: string[] = [];
    const subscriber = new EventSubscriber(bus, { redriveLeaseMs: dayMs }).on(
      'item.received',
      async (event, { attempt, signal }) => {
        await operations.executeIdempotent(event.id, 'shelve', async () => {
          outcomes.push(`attempt ${attempt.number}`);
          if (attempt.number > 1) return;
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          signal.throwIfAborted();
        });
        outcomes.push('shelved');
      },
      { timeoutMs: 20, retry: { baseDelayMs: 0 } },
    );
    await subscriber.start();
    const publisher = new EventPublisher({ serviceName: 'quickintakez', eventBus: bus });
    const { id } = await publisher.publish({ type: 'item.received', data: {} });
    await waitUntil('it was shelved', () => outcomes.includes('shelved'));
    expect(outcomes).toEqual(['attempt 1', 'attempt 2', 'shelved']);
    expect(await operations.isExecuted(id)).toBe(true);
    await bus.shutdown();
  });

  it('63 says that a claim is held, and by what, while a longer one stands', async () => {
    const clock = new ManualClock();
    const store = new MemoryIdempotencyStore(undefined, { clock });
    const dayMs = 86_400_000;
    // A process that died with its claim: nobody renews it, nobody releases it.
    await store.claim('scale-1', { operation: 'weigh', claimMs: dayMs });
    const handler = new IdempotencyHandler({ store, clock });
    const weigh = (): Promise<string> =>
      handler.executeIdempotent('scale-1', 'weigh', () => '12 kg');
    await clock.advance(dayMs - 1);
    expect(String(await refusalOf(weigh))).toMatch(
      /CLAIM_HELD: another process is running weigh under key scale-1; try again later/,
    );
    await clock.advance(1);
    expect(await weigh()).toBe('12 kg');
  });
});
