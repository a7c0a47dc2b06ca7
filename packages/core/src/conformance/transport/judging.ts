import assert from 'node:assert/strict';

import { systemClock } from '../../clock.ts';
import { EventError } from '../../errors.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { assertOnceEach } from './assert-messages.ts';
import { gate, RegisteredGroup } from './registry-bench.ts';
import { onBench, type TransportConformanceOptions } from './transport-bench.ts';

/** A message is finished only under the registry as it is when that is written. */
export function describeJudging(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const { registry } = options.capabilities;
  const whenKept = itWhen(it, registry, 'keeps no registry');

  describe('settling under a registry', () => {
    whenKept(
      'finishes what was judged by the registry as it is, and asks nothing',
      bench(async (b) => {
        const instance = await RegisteredGroup.open(b, 'current');
        const first = await instance.subscribe('at once');
        const sent = b.messages(200, { keys: 20 });
        await instance.transport.publish(sent);
        await first.received(200);
        await instance.finishesUpTo(0);
        await first.close();
        assert.deepEqual(instance.askedIds, []);
        const second = await instance.next();
        const after = b.message();
        await instance.transport.publish([after]);
        await second.received(1);
        await b.quiet();
        assert.deepEqual(second.ids, [after.id]);
      }),
    );

    whenKept(
      'finishes what was judged by an outdated one when it has been judged anew, and not before',
      bench(async (b) => {
        const instance = await RegisteredGroup.open(b, 'outdated');
        const probe = await instance.subscribe();
        // Of one key, so that a log can finish one after the other.
        await instance.transport.publish(b.messages(10));
        probe.settle(...(await probe.received(10)));
        await instance.finishesUpTo(0);
        const { opened, open } = gate();
        instance.answer = () => opened.then(() => instance.read());
        await instance.change();
        await instance.transport.publish(b.messages(20));
        const settled = (await probe.received(30)).slice(10, 20);
        probe.settle(...settled);
        await instance.isAsked();
        await b.quiet();
        assert.equal(await instance.unfinished(), 20, 'unfinished while it is judged anew');
        open();
        await instance.finishesUpTo(10);
        await b.quiet();
        assert.deepEqual(
          instance.askedIds.toSorted(),
          settled.map(({ message }) => message.id).toSorted(),
          'what was refused is judged anew, and nothing else',
        );
        assert.equal(await instance.unfinished(), 10, 'what is in hand stays unfinished');
      }),
    );

    whenKept(
      'finishes nothing under a version that ended with a registration, whenever that comes',
      bench(async (b) => {
        const instance = await RegisteredGroup.open(b, 'racing');
        const probe = await instance.subscribe();
        for (let round = 1; round <= 3; round += 1) {
          const { opened, open } = gate();
          instance.answer = () => opened.then(() => instance.read());
          await instance.transport.publish(b.messages(30));
          const deliveries = (await probe.received(30 * round)).slice(-30);
          let left: Promise<number> | undefined;
          for (const [index, delivery] of deliveries.entries()) {
            probe.settle(delivery);
            // What counts is what was finished when the registration had ended.
            if (index === 5) left = instance.change().then(() => instance.unfinished());
            await systemClock.sleep(1);
          }
          const afterwards = await left!;
          await b.quiet();
          assert.equal(await instance.unfinished(), afterwards, `round ${round}`);
          open();
          await instance.finishesUpTo(0);
        }
      }),
    );

    whenKept(
      'asks once more where the registry has changed while it was judged anew',
      bench(async (b) => {
        const instance = await RegisteredGroup.open(b, 'again');
        const probe = await instance.subscribe();
        await instance.transport.publish([b.message()]);
        await probe.received(1);
        await instance.change();
        const { opened, open } = gate();
        instance.answer = async (call) => {
          if (call > 1) await opened;
          const version = await instance.read();
          if (call === 1) await instance.change();
          return version;
        };
        probe.settle(...probe.unsettled);
        await instance.isAsked(2);
        await b.quiet();
        assert.equal(await instance.unfinished(), 1, 'unfinished until it is judged once more');
        open();
        await instance.finishesUpTo(0);
        const [id] = probe.ids;
        assert.deepEqual(instance.askedIds, [id, id]);
      }),
    );

    whenKept(
      'tries again what could not be judged, and is in trouble until it can be',
      bench(async (b) => {
        const instance = await RegisteredGroup.open(b, 'failing');
        const probe = await instance.subscribe();
        await instance.transport.publish(b.messages(5));
        await probe.received(5);
        await instance.change();
        const { opened, open } = gate();
        instance.answer = async (call) => {
          if (call < 3) throw unavailable();
          await opened;
          return await instance.read();
        };
        probe.settle(...probe.unsettled);
        await instance.isAsked(3);
        await b.quiet();
        assert.equal(await instance.unfinished(), 5, 'unfinished while it cannot be judged');
        assert.ok(probe.isInTrouble, 'it does not get on, and says so');
        open();
        await instance.finishesUpTo(0);
        await b.until(
          () => !probe.isInTrouble,
          () => 'the trouble to be taken back',
        );
      }),
    );

    whenKept(
      'waits at its close for what is being judged anew',
      bench(async (b) => {
        const instance = await RegisteredGroup.open(b, 'closing');
        const first = await instance.subscribe();
        await instance.transport.publish(b.messages(5));
        await first.received(5);
        await instance.change();
        const { opened, open } = gate();
        instance.answer = () => opened.then(() => instance.read());
        first.settle(...first.unsettled);
        await instance.isAsked();
        let closed = false;
        const closing = first.close().then(() => (closed = true));
        await b.quiet();
        assert.equal(closed, false, 'it has closed before all was judged');
        open();
        await closing;
        const second = await instance.next();
        const after = b.message();
        await instance.transport.publish([after]);
        await second.received(1);
        await b.quiet();
        assert.deepEqual(second.ids, [after.id]);
      }),
    );

    for (const [what, answer] of [
      ['cannot be judged', () => Promise.reject(unavailable())],
      ['is judged without an end', () => new Promise<string>(() => {})],
    ] as const) {
      whenKept(
        `closes in its time although something ${what}, and leaves that to the next consumer`,
        bench(async (b) => {
          const instance = await RegisteredGroup.open(b, 'stuck');
          const first = await instance.subscribe();
          const sent = b.messages(3);
          await instance.transport.publish(sent);
          await first.received(3);
          await instance.change();
          instance.answer = answer;
          first.settle(...first.unsettled);
          await instance.isAsked();
          let closed = false;
          const end = (): void => void (closed = true);
          // Whether it counts as a failure is the transport's own affair.
          first.close().then(end, end);
          await b.until(
            () => closed,
            () => 'the consumer to close',
          );
          const second = await instance.next();
          await second.received(3);
          await b.quiet();
          assertOnceEach(second.deliveries, sent);
        }),
      );
    }

    whenKept(
      'lets a subscription settle as ever that judges nothing',
      bench(async (b) => {
        const instance = await RegisteredGroup.open(b, 'unjudged');
        const { group, transport } = instance;
        const probe = await b.subscribe(transport, { group, settle: 'at once' });
        await transport.publish(b.messages(10));
        await probe.received(10);
        await instance.change();
        await transport.publish(b.messages(10));
        await probe.received(20);
        await instance.finishesUpTo(0);
      }),
    );
  });
}

function unavailable(): EventError {
  return new EventError('STORE_UNAVAILABLE', 'the handovers cannot be reached', {});
}
