import { systemClock } from '../../clock.ts';
import type { Delivery, Judgement, Subscription, Transport } from '../../transport/transport.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import { registryOf } from '../transport/registry-bench.ts';
import type { TransportConformanceOptions } from '../transport/transport-bench.ts';
import { changed } from './changed.ts';
import { lagMs, onSubscription, transportFault, type TransportChanges } from './transport-fault.ts';

const outdated = 'finishes what was judged by an outdated one when it has been judged anew';
const failing = 'tries again what could not be judged, and is in trouble until it can be';
const stuck = 'closes in its time although something cannot be judged, and leaves that';

/** What was settled is finished under an outdated registry, or is not judged as it should be. */
export const judgingFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  transportFault('settles without a look at the registry', outdated, () =>
    onSubscription(() => ({ judgement: undefined })),
  ),
  transportFault(
    'looks at the registry before it settles, and not in the same step',
    'finishes nothing under a version that ended with a registration, whenever that comes',
    lookingBefore,
  ),
  transportFault('settles while it is judged anew', outdated, () =>
    onRenewal(async ({ judgement, settled, current }) => {
      void judgement.renew(settled).catch(() => {});
      return await current();
    }),
  ),
  transportFault('has all judged anew that is in hand', outdated, () => {
    const inHand = new Set<Delivery>();
    return (inner) => ({
      subscribe: ({ judgement, ...subscription }, deliver) => {
        const all = judgement && judging(judgement, () => judgement.renew([...inHand]));
        return inner.subscribe({ ...subscription, judgement: all }, (delivery) => {
          inHand.add(delivery);
          deliver(delivery);
        });
      },
    });
  }),
  transportFault('has the first of many judged anew for all of them', outdated, () =>
    onRenewal(({ judgement, settled }) => judgement.renew(settled.slice(0, 1))),
  ),
  transportFault(
    'has judged anew what it could have settled',
    'finishes what was judged by the registry as it is, and asks nothing',
    () => (inner) => ({
      subscribe: async (subscription, deliver) => {
        const { judgement } = subscription;
        return await inner.subscribe(subscription, (delivery) => {
          const settle = (): void =>
            void judgement?.renew([delivery]).then(() => delivery.settle());
          deliver(judgement ? changed(delivery, { settle }) : delivery);
        });
      },
    }),
  ),
  transportFault(
    'asks once, however often the registry changes',
    'asks once more where the registry has changed while it was judged anew',
    () =>
      onRenewal(async ({ judgement, settled, current }) => {
        await judgement.renew(settled);
        return await current();
      }),
  ),
  transportFault('takes what could not be judged for judged', failing, () =>
    onRenewal(({ judgement, settled, current }) => judgement.renew(settled).catch(current)),
  ),
  transportFault('never tries again what could not be judged', failing, () =>
    onRenewal(({ judgement, settled }) =>
      judgement.renew(settled).catch(() => new Promise<never>(() => {})),
    ),
  ),
  transportFault('hides that something could not be judged', failing, () =>
    onSubscription(({ judgement, onTrouble }) => {
      let failed = false;
      const renew: Judgement['renew'] = async (settled) => {
        failed = true;
        const version = await judgement!.renew(settled);
        failed = false;
        return version;
      };
      return {
        judgement: judgement && judging(judgement, renew),
        onTrouble: (error) => (failed ? undefined : onTrouble?.(error)),
      };
    }),
  ),
  transportFault(
    'does not wait at its close for what is being judged',
    'waits at its close for what is being judged anew',
    () => (inner) => ({
      subscribe: async (subscription, deliver) => {
        const consumer = await inner.subscribe(subscription, deliver);
        return changed(consumer, {
          close: async () => void consumer.close().catch(() => {}),
        });
      },
    }),
  ),
  transportFault('settles at its close what could not be judged', stuck, () => (inner) => ({
    subscribe: async ({ judgement, ...subscription }, deliver) => {
      let closing = false;
      const { group } = subscription;
      const renew = (settled: readonly Delivery[]): Promise<string> =>
        closing ? versionOf(inner, group) : judgement!.renew(settled);
      const meddled = judgement && judging(judgement, renew);
      const consumer = await inner.subscribe({ ...subscription, judgement: meddled }, deliver);
      return changed(consumer, { close: () => ((closing = true), consumer.close()) });
    },
  })),
  transportFault(
    'waits without an end for what is being judged',
    'closes in its time although something is judged without an end, and leaves that',
    () => (inner) => ({
      subscribe: async ({ judgement, ...subscription }, deliver) => {
        const renewals: Promise<string>[] = [];
        const renew = (settled: readonly Delivery[]): Promise<string> => {
          const renewal = judgement!.renew(settled);
          renewals.push(renewal);
          return renewal;
        };
        const noted = judgement && judging(judgement, renew);
        const consumer = await inner.subscribe({ ...subscription, judgement: noted }, deliver);
        const close = async (): Promise<void> => {
          await Promise.allSettled(renewals);
          await consumer.close();
        };
        return changed(consumer, { close });
      },
    }),
  ),
  transportFault(
    'settles nothing for who judges nothing',
    'lets a subscription settle as ever that judges nothing',
    () => (inner) => ({
      subscribe: async (subscription, deliver) => {
        const { group, judgement } = subscription;
        if (judgement || group === null) return await inner.subscribe(subscription, deliver);
        const never = { version: await versionOf(inner, group), renew: refuse };
        return await inner.subscribe({ ...subscription, judgement: never }, deliver);
      },
    }),
  ),
];

interface Renewal {
  readonly judgement: Judgement;
  readonly settled: readonly Delivery[];
  /** The version that the registry has. */
  readonly current: () => Promise<string>;
}

/** Lets a fault decide what becomes of what is to be judged anew. */
function onRenewal(renewed: (renewal: Renewal) => Promise<string>): TransportChanges {
  return (inner) =>
    onSubscription(({ judgement, group }) => {
      if (!judgement) return {};
      const current = (): Promise<string> => versionOf(inner, group);
      const renew: Judgement['renew'] = (settled) => renewed({ judgement, settled, current });
      return { judgement: judging(judgement, renew) };
    })(inner);
}

/** Asks for the version and settles a while later; in between the registry may change. */
function lookingBefore(): TransportChanges {
  return (inner) => ({
    subscribe: (subscription, deliver) => {
      const { judgement } = subscription;
      if (!judgement) return inner.subscribe(subscription, deliver);
      return inner.subscribe({ ...subscription, judgement: undefined }, (delivery) => {
        const settle = (): void =>
          void judged(inner, subscription, delivery)
            .then(() => systemClock.sleep(4 * lagMs))
            .then(() => delivery.settle());
        deliver(changed(delivery, { settle }));
      });
    },
  });
}

async function judged(
  inner: Transport,
  { judgement, group }: Subscription,
  delivery: Delivery,
): Promise<void> {
  let { version } = judgement!;
  while ((await versionOf(inner, group)) !== version) version = await judgement!.renew([delivery]);
}

function judging(inner: Judgement, renew: Judgement['renew']): Judgement {
  return changed(inner, { renew });
}

async function versionOf(inner: Transport, group: string | null): Promise<string> {
  return (await registryOf(inner).read(group!)).version;
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('there is nobody to judge'));
}
