import { MemoryIdempotencyStore } from '@waybill/core/memory';
import { IdempotencyHandler } from '@quickwms/events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { waitUntil } from '../../../scripts/wait-until.ts';
import type { Dock } from '../support/dock.ts';

/** Throws again when anybody looks at it. */
const hostile = new Proxy(new Error('hidden'), {
  get() {
    throw new Error('do not look at me');
  },
});
const circular = new Error('no shelf');
circular.cause = circular;

/** What is thrown, and what people are told. */
const thrown: [string, unknown, RegExp][] = [
  ['undefined', undefined, /something that is no error was thrown: undefined/],
  ['null', null, /something that is no error was thrown: null/],
  ['a text', 'no shelf', /^no shelf$/],
  ['an empty text', '', /something that is no error was thrown: ""/],
  ['a number', 42, /something that is no error was thrown: 42/],
  ['a symbol', Symbol('no shelf'), /no shelf/],
  ['an object', { shelf: 7 }, /something that is no error was thrown: \{"shelf":7\}/],
  ['a frozen error', Object.freeze(new Error('no shelf')), /^no shelf$/],
  ['an error that is its own cause', circular, /^no shelf$/],
  ['an error without a message', new RangeError(), /^RangeError$/],
  ['an error of 10 MB', new Error('x'.repeat(10_000_000)), /^x{1999}…/],
  [
    'an error with line ends',
    new Error('a\nforged: line\u001b[2J'),
    /^a\\u000aforged: line\\u001b/,
  ],
  ['an error that throws when it is read', hostile, /something was thrown that cannot be shown/],
];

/**
 * Runs inputs 65 to 72 over one kind of bus.
 *
 * @param open Opens a service over that bus; left out of the run where there is none.
 */
export function describeHandlers(over: string, open: (() => Promise<Dock>) | undefined): void {
  describe.skipIf(!open)(`handlers over ${over}`, () => {
    let dock: Dock;
    beforeEach(async () => {
      dock = await open!();
    });
    afterEach(() => dock.close());

    it('65 makes a dead letter of whatever is thrown', async () => {
      const received: string[] = [];
      dock.handle('shelve', (event) => {
        received.push(event.data.item);
        throw thrown[Number(event.data.item)]![1];
      });
      await dock.subscriber.start();
      for (const index of thrown.keys()) await dock.publish(String(index));
      const letters = await dock.deadLetters(thrown.length);
      await dock.flows();
      expect(received).toEqual([...thrown.keys()].map(String));
      for (const [index, [what, , reason]] of thrown.entries()) {
        const { event, failureReason, handler, status } = letters[index]!;
        expect([what, handler, status]).toEqual([what, 'shelve', 'pending']);
        expect([what, event!.data]).toEqual([what, { item: String(index) }]);
        expect([what, failureReason]).toEqual([what, expect.stringMatching(reason)]);
        expect(failureReason.length).toBeLessThan(2_100);
        expect(failureReason).not.toMatch(/\p{Cc}/u);
      }
      expect(dock.subscriber.health()).toEqual({ status: 'ok', reasons: [] });
    });

    it('66 names a handler that never returns, and lets other keys pass', async () => {
      dock.handle(
        'shelve',
        async (event, context) => {
          await dock.note(event.data.item, context);
          if (event.data.item === 'stuck') await new Promise(() => undefined);
        },
        // What is not stuck has to write within this.
        { timeoutMs: 2_000 },
      );
      await dock.subscriber.start();
      const stuck = await dock.publish('stuck', 'item-1');
      await waitUntil('it is overdue', () =>
        dock.observed.some(({ kind }) => kind === 'handler-overdue'),
      );
      await dock.publish('behind it', 'item-1');
      await dock.publish('beside it', 'item-2');
      await waitUntil('the other key passed', async () =>
        (await dock.noted()).includes('beside it'),
      );
      await waitUntil(
        'nobody else is held up',
        () => dock.subscriber.health().reasons.length === 1,
      );
      expect(dock.subscriber.health()).toEqual({
        status: 'degraded',
        reasons: [expect.stringMatching(/handler shelve is past its timeout and has not returned/)],
      });
      expect(await dock.noted()).toEqual(
        dock.transactional ? ['beside it'] : ['stuck', 'beside it'],
      );
      await dock.subscriber.stop({ deadlineMs: 10 });
      expect(dock.subscriber.unfinished).toContainEqual(
        expect.objectContaining({ eventId: stuck.id, handler: 'shelve' }),
      );

      const restarted = dock.again();
      restarted.handle('shelve', (event, context) => restarted.note(event.data.item, context));
      await dock.close();
      await restarted.subscriber.start();
      await waitUntil('the rest was handled', async () =>
        (await dock.noted()).includes('behind it'),
      );
      const effects = (await dock.noted()).filter((effect) => effect === 'stuck');
      expect(effects).toHaveLength(dock.transactional ? 1 : 2);
      await restarted.close();
    });

    it('67 takes the first answer of a handler that answers twice', async () => {
      const answers = {
        resolved: (done: () => void, failed: (error: Error) => void) => {
          done();
          failed(new Error('second answer'));
          done();
        },
        rejected: (done: () => void, failed: (error: Error) => void) => {
          failed(new Error('first answer'));
          done();
          failed(new Error('third answer'));
        },
      };
      dock.handle('shelve', async (event, context) => {
        await dock.note(event.data.item, context);
        return await { then: answers[event.data.item as keyof typeof answers] };
      });
      await dock.subscriber.start();
      await dock.publish('resolved');
      await dock.publish('rejected');
      const letters = await dock.deadLetters(1);
      await dock.flows();
      expect(letters.map(({ failureReason }) => failureReason)).toEqual(['first answer']);
      expect(await dock.noted()).toEqual(
        dock.transactional ? ['resolved'] : ['resolved', 'rejected'],
      );
    });

    it('68 handles an event once whose handler blocks the process past its timeout and its lease', async () => {
      dock.handle(
        'shelve',
        async (event, context) => {
          await dock.note(event.data.item, context);
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
        },
        { timeoutMs: 30_000, retry: { maxRetries: 3, baseDelayMs: 0 } },
      );
      await dock.subscriber.start();
      await dock.publish('blocking');
      await dock.flows();
      expect(await dock.noted()).toEqual(['blocking']);
      expect(await dock.deadLetters(0)).toEqual([]);
      expect(dock.subscriber.health()).toEqual({ status: 'ok', reasons: [] });
    });

    describe('with the rejections that nobody handles', () => {
      let unhandled: unknown[];
      let others: NodeJS.UnhandledRejectionListener[];
      const note = (reason: unknown): void => void unhandled.push(reason);
      beforeEach(() => {
        unhandled = [];
        others = process.listeners('unhandledRejection');
        process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
      });
      afterEach(() => {
        process.removeAllListeners('unhandledRejection');
        for (const other of others) process.on('unhandledRejection', other);
      });

      it('69 leaves a rejection after the return to its owner, and the event handled', async () => {
        const late = new Error('too late');
        dock.handle('shelve', async (event, context) => {
          await dock.note(event.data.item, context);
          setImmediate(() => void Promise.reject(late));
        });
        await dock.subscriber.start();
        await dock.publish('a bad one');
        await waitUntil('it was rejected', () => unhandled.length > 0);
        await dock.flows();
        expect(unhandled).toEqual([late]);
        expect(await dock.noted()).toEqual(['a bad one']);
        expect(await dock.deadLetters(0)).toEqual([]);
      });

      it('69 refuses by name what is written after the return, and keeps none of it', async () => {
        const writes: Promise<unknown>[] = [];
        const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
        dock.handle('shelve', (_event, context) => {
          const write = settled.then(() => dock.note('too late', context));
          write.catch(() => {}); // it may be refused before anybody waits for it
          writes.push(write);
        });
        await dock.subscriber.start();
        await dock.publish('a bad one');
        await dock.flows();
        settle();
        const [outcome] = await Promise.allSettled(writes);
        expect(outcome).toMatchObject(
          dock.transactional
            ? { status: 'rejected', reason: { code: 'TX_FINISHED' } }
            : { status: 'fulfilled' },
        );
        expect(await dock.noted()).toEqual(dock.transactional ? [] : ['too late']);
        expect(unhandled).toEqual([]);
      });
    });

    it('70 gives handlers nothing to acknowledge with, and takes a throw after everything for a failure', async () => {
      const contexts: string[][] = [];
      const operations = new IdempotencyHandler({ store: new MemoryIdempotencyStore() });
      dock.handle(
        'shelve',
        async (event, context) => {
          contexts.push(Object.keys(context));
          await dock.note(`attempt ${context.attempt.number}`, context);
          await dock.publisher.publish({ type: 'audit.noted', data: {} });
          await operations.executeIdempotent(event.id, 'shelve', () => 'shelved');
          throw new Error('after everything');
        },
        { retry: { maxRetries: 1, baseDelayMs: 0 } },
      );
      await dock.subscriber.start();
      await dock.publish('a bad one');
      const [letter] = await dock.deadLetters(1);
      expect(letter).toMatchObject({ failureReason: 'after everything', totalAttempts: 2 });
      expect(contexts.flat().filter((name) => /ack|settle|commit/.test(name))).toEqual([]);
      await dock.flows();
      // Without a transaction, what was done is done.
      expect(await dock.noted()).toEqual(dock.transactional ? [] : ['attempt 1', 'attempt 2']);
      expect(await dock.published('audit.noted')).toBe(dock.transactional ? 0 : 2);
    });

    it('71 publishes 100,000 events from one handler, or none of them', async () => {
      const events = Array.from({ length: 10_000 }, () => ({ type: 'audit.noted', data: {} }));
      dock.handle(
        'shelve',
        async () => {
          for (let batch = 0; batch < 10; batch += 1) await dock.publisher.publishBatch(events);
          if (dock.transactional) throw new Error('after everything');
        },
        { timeoutMs: 300_000 },
      );
      await dock.subscriber.start();
      await dock.publish('a bad one');
      await waitUntil(
        'it has ended',
        () => dock.observed.some(({ kind }) => kind === 'attempt-failed' || kind === 'processed'),
        100_000,
      );
      await dock.flows();
      expect(await dock.published('audit.noted')).toBe(dock.transactional ? 0 : 100_000);
      expect(dock.subscriber.health().status).toBe('ok');
    }, 120_000);

    it('72 gives each handler, each attempt and the dead letter the event as it came', async () => {
      const seen: unknown[] = [];
      const spoil = (event: { data: { item: string }; subject?: string; id: string }): void => {
        seen.push(structuredClone(event.data));
        event.data.item = 'spoilt';
        event.subject = 'spoilt';
        event.id = 'spoilt';
      };
      dock.handle('first', spoil);
      dock.handle(
        'second',
        (event) => {
          spoil(event);
          throw new Error('no shelf');
        },
        { retry: { maxRetries: 1, baseDelayMs: 0 } },
      );
      dock.handle('third', (event) => {
        Object.freeze(event.data);
        seen.push(event.data);
      });
      await dock.subscriber.start();
      const event = await dock.publish('as it came');
      const [letter] = await dock.deadLetters(1);
      await dock.flows();
      expect(seen).toEqual(Array.from({ length: 4 }, () => ({ item: 'as it came' })));
      expect(letter).toMatchObject({ handler: 'second', eventId: event.id, event });
      expect(await dock.deadLetters(1)).toHaveLength(1);
    });
  });
}
