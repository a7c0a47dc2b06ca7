import assert from 'node:assert/strict';

import { itWhen, type TestApi } from '../test-api.ts';
import { onBench, type TransportConformanceOptions } from './transport-bench.ts';
import { inTrouble, isAccepted, wellAgain } from './trouble.ts';

/** A consumer that has got on outlives a password that was changed, and a right that was taken away. */
export function describeAccess(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const { refusesAccess = false, capabilities } = options;
  const whenRefused = itWhen(it, refusesAccess, 'cannot refuse its user');
  const groups = capabilities.broadcast ? [true, false] : [true];

  describe('refused access', () => {
    for (const hasGroup of groups) {
      const who = hasGroup ? 'a consumer of a group' : 'a subscription without a group';
      whenRefused(
        `is outlived by ${who}, which says so and gets what is published afterwards`,
        bench(async (b) => {
          const transport = await b.open();
          const group = hasGroup ? b.group('refused') : null;
          const probe = await b.subscribe(transport, { group, settle: 'at once' });
          const before = b.messages(3);
          await transport.publish(before);
          await probe.received(3);
          let ended = false;
          const end = (): void => void (ended = true);
          probe.consumer.finished.then(end, end);
          await b.whileRefused(async () => {
            await inTrouble(b, [probe]);
            await b.quiet();
            assert.equal(await isAccepted(transport, b.messages(1)), false, 'it was not refused');
          });
          await wellAgain(b, [probe]);
          assert.equal(ended, false, 'the consumer has ended');
          const after = b.messages(3);
          await b.until(
            () => isAccepted(transport, after),
            () => 'a publish after the access was given back',
          );
          const arrived = (): boolean => after.every(({ id }) => probe.ids.includes(id));
          await b.until(arrived, () => 'what was published after the access was given back');
        }),
      );
    }
  });
}
