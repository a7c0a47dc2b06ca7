import assert from 'node:assert/strict';

import type { Message } from '../../event/message.ts';
import type { Transport } from '../../transport/transport.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { assertOnceEach } from './assert-messages.ts';
import {
  onBench,
  type TransportBench,
  type TransportConformanceOptions,
} from './transport-bench.ts';
import type { TransportProbe } from './transport-probe.ts';

/** A consumer whose broker is away says so, does not end, and goes on by itself. */
export function describeTrouble(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const { breaksServer = false, capabilities } = options;
  const whenBroken = itWhen(it, breaksServer, 'cannot break its server');
  const whenBroadcast = breaksServer
    ? itWhen(it, capabilities.broadcast, 'does not broadcast')
    : whenBroken;

  describe('trouble and recovery', () => {
    whenBroken(
      'tells that its broker is away: an idle consumer, a paused one, and one beside others',
      bench(async (b) => {
        const group = b.group('telling');
        const probes = [
          await b.subscribe(await b.open(), { group }),
          await b.subscribe(await b.open(), { group }),
          await b.subscribe(await b.open(), { group: b.group('paused') }),
        ];
        probes.at(-1)!.consumer.pause();
        await b.quiet();
        for (const { troubles } of probes) assert.deepEqual(troubles, []);
        await b.whileBroken(() => inTrouble(b, probes));
      }),
    );

    whenBroken(
      'takes the trouble back when its broker is there again, although nothing comes',
      bench(async (b) => {
        const probe = await b.subscribe(await b.open(), { group: b.group('recovered') });
        await b.whileBroken(() => inTrouble(b, [probe]));
        await wellAgain(b, [probe]);
      }),
    );

    whenBroken(
      'does not end while its broker is away, and delivers what is published afterwards',
      bench(async (b) => {
        const transport = await b.open();
        const probe = await b.subscribe(transport, {
          group: b.group('going-on'),
          settle: 'at once',
        });
        const before = b.messages(3);
        await transport.publish(before);
        await probe.received(3);
        let ended = false;
        const end = (): void => void (ended = true);
        probe.consumer.finished.then(end, end);
        await b.whileBroken(async () => {
          await inTrouble(b, [probe]);
          await b.quiet();
        });
        assert.equal(ended, false, 'the consumer has ended');
        const after = b.messages(3);
        await b.until(
          () => isAccepted(transport, after),
          () => 'a publish after the broker came back',
        );
        const arrived = () => after.every(({ id }) => probe.ids.includes(id));
        await b.until(arrived, () => 'what was published after the broker came back');
        assertOnceEach(
          probe.deliveries.filter(({ message }) => before.some(({ id }) => id === message.id)),
          before,
        );
      }),
    );

    whenBroadcast(
      'tells the same to a subscription without a group, paused or not',
      bench(async (b) => {
        const transport = await b.open();
        const probes = [
          await b.subscribe(transport, { group: null }),
          await b.subscribe(transport, { group: null }),
        ];
        probes[1]!.consumer.pause();
        await b.whileBroken(() => inTrouble(b, probes));
        await wellAgain(b, probes);
      }),
    );
  });
}

/** Says whether all messages are accepted now. */
export async function isAccepted(
  transport: Transport,
  messages: readonly Message[],
): Promise<boolean> {
  try {
    const outcomes = await transport.publish(messages);
    return outcomes.every(({ status }) => status === 'accepted');
  } catch {
    return false; // Whatever is still in the way, the next try finds it out.
  }
}

/** Waits until all consumers say that they do not get on. */
export async function inTrouble(
  b: TransportBench,
  probes: readonly TransportProbe[],
): Promise<void> {
  await b.until(
    () => probes.every(({ isInTrouble }) => isInTrouble),
    () => `trouble of all ${probes.length} consumers, of which ${countTroubled(probes)} say so`,
  );
}

/** Waits until none of them says so. */
export async function wellAgain(
  b: TransportBench,
  probes: readonly TransportProbe[],
): Promise<void> {
  await b.until(
    () => countTroubled(probes) === 0,
    () => `the end of trouble, which ${countTroubled(probes)} consumers still have`,
  );
}

function countTroubled(probes: readonly TransportProbe[]): number {
  return probes.filter(({ isInTrouble }) => isInTrouble).length;
}
