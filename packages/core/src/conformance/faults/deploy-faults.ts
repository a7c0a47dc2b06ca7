import { systemClock } from '../../clock.ts';
import type { GroupRegistry, KnownHandlerSet } from '../../transport/group-registry.ts';
import { changed } from './changed.ts';
import {
  overDeadLetters,
  overHandovers,
  overTransport,
  withOtherData,
  type DeliveryFault,
} from './delivery-fault.ts';
import { everyNth, lagMs, onSubscription } from './transport-fault.ts';

const whichever = 'let events reach the handler that one instance alone has, whichever takes';
const whoLacks = 'leave an event only for the handlers that the instance which takes it lacks';
const inOrder = 'are handled as they were published, each once and in order, when their handler';
const oneAtATime = 'are handled by one instance at a time for each key, and in order by all';
const retired = 'end as skipped what waits for a handler that is retired, until it is registered';

/** What instances of one group tell and leave each other is wrong. */
export const deployFaults: readonly DeliveryFault[] = [
  overTransport(
    'settles under an outdated version of the registry',
    'let events reach a handler that is registered while they are under way',
    () => onSubscription(() => ({ judgement: undefined })),
  ),
  overSets('knows the handlers of an instance only while it asks', inOrder, (set, isOwn) =>
    isOwn ? set : { ...set, handlers: [] },
  ),
  overSets(
    'forgets which names were made from patterns',
    'count handlers without a name, whatever patterns they have',
    (set) => ({ ...set, handlers: set.handlers.map((each) => ({ ...each, derived: false })) }),
  ),
  overSets(
    'forgets which names were given',
    'take a handler with another name for another handler',
    (set) => ({ ...set, handlers: set.handlers.map((each) => ({ ...each, derived: true })) }),
  ),
  overSets(
    'takes every version for the first',
    'let an event of a newer version wait for the instance that knows it',
    (set) => ({
      ...set,
      versions: Object.fromEntries(Object.keys(set.versions).map((type) => [type, 1])),
    }),
  ),
  overSets(
    'forgets whose handlers they are',
    'give two services of one group name all events each, or refuse the second by name',
    (set, _isOwn, own) => ({ ...set, service: own.service }),
  ),
  overSets(
    'tells of a handler that nobody has registered',
    'settle at once what no instance has ever had a handler for',
    (set) => ({ ...set, handlers: [...set.handlers, ofEverything] }),
  ),
  overHandovers('leaves an event for a handler that nobody has', whoLacks, () => (inner) => ({
    add: async (handovers, choice) => {
      const others = handovers.map((each) => ({ ...each, handler: 'nobody' }));
      await inner.add([...handovers, ...others], choice);
    },
  })),
  overHandovers('loses one event in ten', inOrder, () => {
    const unlucky = everyNth(10);
    return (inner) => ({
      add: async (...given) => (unlucky() ? undefined : await inner.add(...given)),
    });
  }),
  overHandovers('gives the youngest first', inOrder, () => (inner) => ({
    claim: async (...given) => (await inner.claim(...given)).toReversed(),
  })),
  overHandovers('gives another message', inOrder, () => (inner) => ({
    claim: async (...given) =>
      (await inner.claim(...given)).map(({ handover, token }) => ({
        handover: { ...handover, message: withOtherData(handover.message) },
        token,
      })),
  })),
  overHandovers('never ends anything', whichever, () => () => ({ settle: async () => true })),
  overHandovers(
    'does not see what waits before a delivery',
    'come before what is delivered later of their key',
    () => (inner) => ({
      look: async (questions) => questions.map(() => 'none' as const),
      // Late enough that deliveries come first where nothing holds them back.
      claim: async (...given) => {
        await systemClock.sleep(4 * lagMs);
        return await inner.claim(...given);
      },
    }),
  ),
  overHandovers(
    'gives to one handler after the other',
    'hold up no other handler of their key, and no other key',
    () => (inner) => ({
      claim: async (group, options) => {
        const [first] = await inner.open(group);
        const kinds = options.kinds.filter(({ handler }) => handler === first?.handler);
        return await inner.claim(group, { ...options, kinds });
      },
    }),
  ),
  overHandovers('gives one key to two instances', oneAtATime, () => (inner) => ({
    claim: (group, options) => inner.claim(group, { ...options, worker: 'any' }),
  })),
  overHandovers('lets a claim lapse before its time', oneAtATime, () => (inner) => ({
    claim: (group, options) => inner.claim(group, { ...options, leaseMs: 1 }),
  })),
  overHandovers(
    'forgets what is done',
    'are not handled once more where their delivery comes again',
    () => (inner) => ({
      look: async (questions) => {
        const answers = await inner.look(questions);
        return answers.map((answer) => (answer === 'known' ? 'none' : answer));
      },
    }),
  ),
  overDeadLetters('loses dead letters', 'are tried again and get a dead letter', () => ({
    add: async () => '1',
  })),
  overHandovers(
    'never gives anything a second time',
    'go to the next instance from one that has taken them and not finished',
    () => (inner) => ({
      claim: (group, options) => inner.claim(group, { ...options, leaseMs: 3_600_000 }),
    }),
  ),
  overHandovers('lets wait what waits for a retired handler', retired, () => () => ({
    retire: async () => 10,
  })),
  overHandovers('skips what comes when a handler is back', retired, () => () => ({
    reinstate: async () => {},
  })),
];

const ofEverything = { name: 'nobody', patterns: ['*'], derived: false, formerly: [] } as const;

/** A fault of what instances are told of each other's sets. */
function overSets(
  name: string,
  noticedBy: string,
  change: (
    set: KnownHandlerSet,
    isOwn: boolean,
    own: { readonly service: string },
  ) => KnownHandlerSet,
): DeliveryFault {
  const changesOf = (inner: GroupRegistry): Partial<GroupRegistry> => ({
    register: async (group, own, worker) => {
      const copy = await inner.register(group, own, worker);
      return { ...copy, sets: copy.sets.map((set) => change(set, set.id === own.id, own)) };
    },
  });
  return overTransport(
    name,
    noticedBy,
    () =>
      ({ registry }) =>
        registry ? { registry: changed(registry, changesOf(registry)) } : {},
  );
}
