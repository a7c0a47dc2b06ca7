import assert from 'node:assert/strict';

import {
  maxHandoverQuestions,
  type HandoverQueue,
  type HandoverQuestion,
} from '../../transport/handover-queue.ts';
import { onStore, type StoreConformanceOptions } from '../store/store-bench.ts';
import type { TestApi } from '../test-api.ts';
import {
  answerTo,
  claimOne,
  handoverOf,
  leave,
  questionAbout,
  questionBehind,
  retirement,
} from './handovers.ts';

/** Handlers learn what was left for them, and what comes first. */
export function describeLooking(
  options: StoreConformanceOptions<HandoverQueue>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);

  describe('looking', () => {
    it(
      'knows an event that was left for a handler, whatever became of it',
      bench(async (b) => {
        const row = await leave(b, 'order-1');
        assert.equal(await answerTo(b, questionAbout(row)), 'known', 'waiting');
        const claimed = await claimOne(b);
        assert.equal(await answerTo(b, questionAbout(row)), 'known', 'claimed');
        await b.store.settle(claimed);
        assert.equal(await answerTo(b, questionAbout(row)), 'known', 'done');
        const skipped = await leave(b, 'order-1');
        await b.store.retire('billing', 'book', retirement);
        assert.equal(await answerTo(b, questionAbout(skipped)), 'known', 'skipped');
      }),
    );

    it(
      'knows what was left for a handler under any of its names',
      bench(async (b) => {
        const row = await leave(b, 'order-1');
        for (const handlers of [
          ['register', 'book'],
          ['register', 'note', 'book', 'enter'],
        ]) {
          assert.equal(await answerTo(b, questionAbout(row, { handlers })), 'known');
          assert.equal(await answerTo(b, questionBehind(row, { handlers })), 'waiting');
        }
        const handlers = ['register', 'note'];
        assert.equal(await answerTo(b, questionAbout(row, { handlers })), 'none');
      }),
    );

    it(
      'says that others of a key wait for the handler, and of nothing else',
      bench(async (b) => {
        const row = await leave(b, 'order-1');
        assert.equal(await answerTo(b, questionBehind(row)), 'waiting');
        for (const other of [{ group: 'shipping' }, { key: 'order-2' }, { handlers: ['ship'] }]) {
          assert.equal(await answerTo(b, questionBehind(row, other)), 'none');
          assert.equal(await answerTo(b, questionAbout(row, { ...other, eventId: 'e' })), 'none');
        }
        assert.equal(await answerTo(b, questionAbout(row, { source: 'shop' })), 'waiting');
      }),
    );

    it(
      'counts as waiting what somebody has taken, until it is done',
      bench(async (b) => {
        const row = await leave(b, 'order-1');
        const claimed = await claimOne(b);
        assert.equal(await answerTo(b, questionBehind(row)), 'waiting');
        await b.store.settle(claimed);
        assert.equal(await answerTo(b, questionBehind(row)), 'none');
      }),
    );

    it(
      'answers each of many questions in the order given',
      bench(async (b) => {
        const [one, two] = [await leave(b, 'order-1'), await leave(b, 'order-2')];
        const elsewhere = await leave(b, 'order-1', { group: 'shipping' });
        const never = handoverOf(b.event({ subject: 'order-3' }));
        const answers = await b.store.look([
          questionBehind(two),
          questionAbout(never),
          questionAbout(one, { handlers: ['before', 'book'] }),
          questionAbout(elsewhere),
          questionBehind(elsewhere),
          questionAbout(one, { handlers: ['ship'] }),
          questionBehind(two),
        ]);
        const expected = ['waiting', 'none', 'known', 'known', 'waiting', 'none', 'waiting'];
        assert.deepEqual(answers, expected);
        assert.deepEqual(await b.store.look([]), []);
      }),
    );

    it(
      `takes ${maxHandoverQuestions} questions at once, and refuses more`,
      bench(async (b) => {
        const row = await leave(b, 'order-1');
        const questions = Array.from({ length: maxHandoverQuestions }, (_, index) =>
          index % 2 === 0 ? questionAbout(row) : questionBehind(row, { key: `order-${index}` }),
        ) satisfies HandoverQuestion[];
        const answers = await b.store.look(questions);
        const known = answers.filter((answer, at) => answer === (at % 2 === 0 ? 'known' : 'none'));
        // One of those behind has the very key of the row.
        assert.equal(known.length, maxHandoverQuestions - 1);
        assert.equal(answers[1], 'waiting');
        await assert.rejects(
          async () => await b.store.look([...questions, questions[0]!]),
          TypeError,
        );
      }),
    );
  });
}
