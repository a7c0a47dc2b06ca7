import assert from 'node:assert/strict';

import { isEventError } from '../../errors.ts';
import { randomIds } from '../../ids.ts';
import type { PublishOutcome } from '../../transport/publish-outcome.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { assertOnceEach } from './assert-messages.ts';
import { onBench, type TransportConformanceOptions } from './transport-bench.ts';

/** Half of a surrogate pair: no transport can carry it. */
const uncarriable = 'half: \ud83d';

/** A publish says for each message what became of it, and one that is refused holds back its key alone. */
export function describePublishing(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const whenMarking = itWhen(it, options.capabilities.marks, 'marks no servers');

  describe('publishing', () => {
    it(
      'refuses a message that it cannot carry, holds back its key, and takes the rest of the call',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('outcomes');
        const probe = await b.subscribe(transport, { group, settle: 'at once' });
        const [keyA, keyB, keyC] = b.messages(3, { keys: 3 }).map(({ key }) => key);
        const sent = [
          b.message({ key: keyA }),
          b.message({ key: keyB, body: uncarriable }),
          b.message({ key: keyC }),
          b.message({ key: keyB }),
          b.message({ key: keyA }),
        ];
        const outcomes = await transport.publish(sent);
        assert.deepEqual(
          outcomes.map(({ status }) => status),
          ['accepted', 'refused', 'accepted', 'refused', 'accepted'],
          'one outcome for each message, in the order given',
        );
        const [bad, behind] = [refusalOf(outcomes[1]), refusalOf(outcomes[3])];
        assert.ok(isEventError(bad, 'MESSAGE_UNPARSEABLE'), `refused by name, got ${bad.message}`);
        assert.equal(bad.retryable, false, 'what cannot be carried is refused for good');
        assert.equal(behind.retryable, true, 'what waits behind it may be tried again');
        assertOnceEach(await probe.received(3), [sent[0]!, sent[2]!, sent[4]!]);
        await b.quiet();
        assert.equal(probe.deliveries.length, 3, 'nothing that was refused is delivered');
      }),
    );

    it(
      'takes a key again with the next call',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('again');
        const probe = await b.subscribe(transport, { group, settle: 'at once' });
        await transport.publish([b.message({ body: uncarriable }), b.message()]);
        const sent = [b.message(), b.message()];
        const outcomes = await transport.publish(sent);
        for (const { status } of outcomes) assert.equal(status, 'accepted');
        assertOnceEach(await probe.received(2), sent);
      }),
    );

    it(
      'names where messages go, the same for every instance, without an address',
      bench(async (b) => {
        const [one, two] = [await b.openUnconnected(), await b.openUnconnected()];
        assert.notEqual(one.destination, '');
        assert.equal(one.destination, two.destination);
        assert.doesNotMatch(one.destination, /localhost|\d+\.\d+\.\d+\.\d+|@/);
      }),
    );

    whenMarking(
      'marks its server once, and every instance finds that mark',
      bench(async (b) => {
        const [one, two] = [await b.open(), await b.open()];
        const mark = await one.mark!(randomIds());
        assert.notEqual(mark, '');
        assert.equal(await two.mark!(randomIds()), mark);
        assert.equal(await one.mark!(randomIds()), mark);
      }),
    );

    whenMarking(
      'accepts nothing if the server bears another mark than is expected',
      bench(async (b) => {
        const transport = await b.open();
        const probe = await b.subscribe(transport, { group: b.group('marks'), settle: 'at once' });
        const marker = await transport.mark!(randomIds());
        const [expected, foreign] = [b.message(), b.message()];
        await assert.rejects(
          transport.publish([foreign], { marker: `${marker}-other` }),
          (error) =>
            isEventError(error, 'DESTINATION_CHANGED') &&
            error.details.found === marker &&
            error.details.expected === `${marker}-other`,
          'the error names the mark that was found and the one that was expected',
        );
        const [outcome] = await transport.publish([expected], { marker });
        assert.equal(outcome!.status, 'accepted');
        assertOnceEach(await probe.received(1), [expected]);
        await b.quiet();
        assert.equal(probe.deliveries.length, 1, 'the refused message is nowhere');
      }),
    );
  });
}

function refusalOf(outcome: PublishOutcome | undefined) {
  assert.ok(outcome?.status === 'refused');
  return outcome.error;
}
