import assert from 'node:assert/strict';

import { systemClock } from '../../clock.ts';
import type { Transport } from '../../transport/transport.ts';
import type { GroupInspection, PartitionInspection } from '../../transport/transport-inspection.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import {
  onBench,
  type TransportBench,
  type TransportConformanceOptions,
} from './transport-bench.ts';

/** Finer than this nobody asks a broker's clock, in seconds. */
const clockStepSeconds = 0.05;

/** The numbers that people watch are true. */
export function describeInspection(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const isLog = options.capabilities.shape === 'log';
  const whenLog = itWhen(it, isLog, 'has no partitions');
  const whenPendingList = itWhen(it, !isLog, 'has partitions');

  describe('inspection', () => {
    it(
      'counts the messages of a stream',
      bench(async (b) => {
        const transport = await b.open();
        const length = async (): Promise<number> => {
          const { streams } = await transport.inspect();
          return streams.reduce((sum, stream) => sum + stream.length, 0);
        };
        const before = await length();
        await b.subscribe(transport, { group: b.group('watching') });
        await transport.publish(b.messages(7));
        assert.equal((await length()) - before, 7);
      }),
    );

    it(
      'counts what is handed out and not settled, and what is not handed out yet',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('counted');
        const probe = await b.subscribe(transport, { group, maxInFlight: 2 });
        await transport.publish(b.messages(5));
        await probe.received(2);
        await assertNumbers(b, transport, group, { pending: 2, lag: 3 });
        probe.consumer.setMaxInFlight(10);
        await probe.received(5);
        await assertNumbers(b, transport, group, { pending: 5, lag: 0 });
        probe.settle(...probe.unsettled);
        await assertNumbers(b, transport, group, { pending: 0, lag: 0 });
      }),
    );

    it(
      'counts what a group without a consumer has still to get',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('waiting');
        await (await b.subscribe(transport, { group })).close();
        await transport.publish(b.messages(6, { keys: 3 }));
        await assertNumbers(b, transport, group, { pending: 0, lag: 6 });
      }),
    );

    it(
      'says whether a group has a consumer',
      bench(async (b) => {
        const [watching, consuming] = [await b.open(), await b.open()];
        const group = b.group('manned');
        const probe = await b.subscribe(consuming, { group });
        await consuming.publish([b.message()]);
        const consumers = async (): Promise<number> =>
          (await b.inspectGroup(watching, group)).consumers;
        await b.until(
          async () => (await consumers()) > 0,
          () => 'a running consumer is counted',
        );
        await probe.close();
        await b.until(
          async () => (await consumers()) === 0,
          () => 'no consumer is left',
        );
      }),
    );

    it(
      'names the members of a group while they consume, and not after they have left',
      bench(async (b) => {
        const [watching, consuming] = [await b.open(), await b.open()];
        const group = b.group('named');
        const members = async (): Promise<string> => {
          const inspected = await b.inspectGroup(watching, group);
          assert.equal(inspected.consumers, inspected.members.length);
          return inspected.members.map(({ name }) => name).join(', ');
        };
        for (const worker of [b.group('first-worker'), b.group('second-worker')]) {
          const probe = await b.subscribe(consuming, { group, worker });
          await consuming.publish([b.message()]);
          let seen = '';
          await b.until(
            async () => (seen = await members()) === worker,
            () => `${worker} to be the only member; it says ${seen}`,
          );
          await probe.close();
          await b.until(
            async () => (seen = await members()) === '',
            () => `no member to be left; it says ${seen}`,
          );
        }
      }),
    );

    it(
      'tells how old the oldest message is that a group has not finished',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('aging');
        const secondsNow = async (): Promise<number | undefined> =>
          (await b.inspectGroup(transport, group)).lagSeconds;
        const probe = await b.subscribe(transport, { group, maxInFlight: 1 });
        const untold = (await secondsNow()) === undefined;
        const secondsSince = (ms: number): number => (systemClock.now() - ms) / 1_000;
        const beganMs = systemClock.now();
        await transport.publish([b.message()]);
        const [first] = await probe.received(1);
        if (untold) return assert.equal(await secondsNow(), undefined, 'never, or always');
        // Long enough that the next message is much younger, also where an answer takes its time.
        let oldest = (await secondsNow())!;
        const muchOlder = clockStepSeconds * 2 + secondsSince(beganMs) * 4;
        await b.until(
          async () => (oldest = (await secondsNow())!) > muchOlder,
          () => `an unfinished message to become older; it says ${oldest} s`,
        );
        assert.ok(oldest <= secondsSince(beganMs) + clockStepSeconds, `${oldest} s is too old`);
        const betweenMs = systemClock.now();
        await transport.publish([b.message()]);
        assert.ok((await secondsNow())! >= oldest, 'the oldest counts, whatever comes behind it');
        probe.settle(first!);
        const second = (await probe.received(2))[1]!;
        await b.until(
          async () => (await secondsNow())! < secondsSince(betweenMs) + clockStepSeconds,
          () => 'the first message not to count any more',
        );
        probe.settle(second);
        await b.until(
          async () => (await secondsNow()) === 0,
          () => 'nothing to be unfinished',
        );
        await probe.close();
        await transport.publish([b.message()]);
        await b.timeBetween();
        assert.ok((await secondsNow())! > 0, 'a group without a consumer falls behind, too');
      }),
    );

    whenLog(
      'tells partition by partition how far a group is, which adds up to the group',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('partitioned');
        const worker = b.group('owner');
        const probe = await b.subscribe(transport, { group, worker, maxInFlight: 4 });
        await transport.publish(b.messages(12, { keys: 6 }));
        const deliveries = await probe.received(4);
        probe.settle(deliveries[0]!);
        await probe.received(5);
        const unfinished = async (count: number): Promise<GroupInspection> => {
          let inspected = await b.inspectGroup(transport, group);
          await b.until(
            async () => {
              inspected = await b.inspectGroup(transport, group);
              return inspected.pending + inspected.lag === count;
            },
            () => `${count} unfinished; it says ${inspected.pending} and ${inspected.lag}`,
          );
          assertSums(inspected);
          return inspected;
        };
        const membersOf = ({ partitions = [] }: GroupInspection): unknown[] => [
          ...new Set(partitions.map(({ member }) => member)),
        ];
        assert.deepEqual(membersOf(await unfinished(11)), [worker]);
        probe.consumer.setMaxInFlight(100);
        await probe.received(12);
        probe.settle(...probe.unsettled);
        await unfinished(0);
        await probe.close();
        await transport.publish(b.messages(3, { keys: 3 }));
        const left = await unfinished(3);
        assert.deepEqual([left.pending, left.lag, membersOf(left)], [0, 3, [undefined]]);
      }),
    );

    whenPendingList(
      'tells of no partitions where there are none',
      bench(async (b) => {
        const transport = await b.open();
        const group = b.group('unpartitioned');
        const probe = await b.subscribe(transport, { group });
        await transport.publish([b.message()]);
        await probe.received(1);
        const { streams } = await transport.inspect();
        const groups = streams.flatMap((stream) => stream.groups);
        assert.ok(groups.length > 0, 'a group that was handed something is known');
        for (const { partitions } of groups) assert.equal(partitions, undefined);
      }),
    );
  });
}

/** Where a log is in each partition fits together, and adds up to the group. */
function assertSums({ partitions = [], pending, lag, lagSeconds }: GroupInspection): void {
  assert.ok(partitions.length > 0, 'a log has partitions');
  const numbers = new Set(partitions.map(({ partition }) => partition));
  assert.equal(numbers.size, partitions.length, 'each partition comes once');
  for (const part of partitions) assert.equal(part.position + part.pending + part.lag, part.end);
  const sum = (of: (part: PartitionInspection) => number): number =>
    partitions.reduce((total, part) => total + of(part), 0);
  assert.deepEqual([sum((part) => part.pending), sum((part) => part.lag)], [pending, lag]);
  const seconds = partitions.map((part) => part.lagSeconds);
  assert.equal(lagSeconds ?? 0, Math.max(...seconds.map((each) => each ?? 0)));
}

/** Waits, because a transport may tell its broker about settled messages now and then only. */
async function assertNumbers(
  b: TransportBench,
  transport: Transport,
  group: string,
  expected: { pending: number; lag: number },
): Promise<void> {
  let seen = '';
  await b.until(
    async () => {
      const { pending, lag } = await b.inspectGroup(transport, group);
      seen = `pending ${pending}, lag ${lag}`;
      return pending === expected.pending && lag === expected.lag;
    },
    () => `pending ${expected.pending}, lag ${expected.lag}; it says ${seen}`,
  );
}
