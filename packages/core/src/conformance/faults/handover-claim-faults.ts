import type { HandoverClaim, HandoverQueue } from '../../transport/handover-queue.ts';
import { handoverFault, type HandoverFault } from './handover-fault.ts';

type ClaimOptions = Parameters<HandoverQueue['claim']>[1];

const asMany = 'gives out as many as are asked for, also where a kind is named twice';
const onlyKinds = 'gives out only the kinds that are asked for';
const oneWorker = 'gives a key to one worker at a time, who may have several of it';
const lapsed =
  'go to the next worker when they lapse, and are refused from the former one from then on';
const released =
  'go to the next worker at once when they are released, in their place of the order';

/** Ways in which a queue can give out what waits wrongly. */
const takingFaults: readonly HandoverFault[] = [
  handoverFault(
    'gives out the newest first',
    'gives out the oldest first, whatever its kind',
    (inner) => ({
      claim: async (...given) => (await inner.claim(...given)).toReversed(),
    }),
  ),
  handoverFault(
    'gives out one kind after the other',
    'gives out the oldest first, whatever its kind',
    (inner) => ({
      claim: async (group, options) => await claimByKind(inner, group, options),
    }),
  ),
  handoverFault('gives out one more', asMany, (inner) => ({
    claim: (group, options) => inner.claim(group, { ...options, limit: options.limit + 1 }),
  })),
  handoverFault('counts a kind as often as it is named', asMany, (inner) => ({
    claim: (group, options) => {
      const { kinds, limit } = options;
      const isTwice = new Set(kinds.map(({ handler }) => handler)).size < kinds.length;
      return inner.claim(group, { ...options, limit: Math.ceil(isTwice ? limit / 2 : limit) });
    },
  })),
  ...(['eventType', 'eventVersion', 'handler'] as const).map((part) =>
    handoverFault(`looks at everything but the ${part} of a kind`, onlyKinds, (inner) => ({
      claim: async (group, options) => {
        const open = await inner.open(group);
        const isAsked = (kind: (typeof open)[number]): boolean =>
          options.kinds.some((asked) => {
            const alike = { ...kind, [part]: asked[part] };
            return (['eventType', 'eventVersion', 'handler'] as const).every(
              (name) => alike[name] === asked[name],
            );
          });
        return await inner.claim(group, { ...options, kinds: open.filter(isAsked) });
      },
    })),
  ),
  handoverFault('takes no kinds for all kinds', onlyKinds, (inner) => ({
    claim: async (group, options) => {
      const kinds = options.kinds.length === 0 ? await inner.open(group) : options.kinds;
      return await inner.claim(group, { ...options, kinds });
    },
  })),
  handoverFault(
    'waits for what the worker does not ask for',
    'is not held up by what the worker does not ask for',
    (inner) => ({
      claim: async (group, options) => {
        const [oldest] = await inner.open(group);
        const isAsked = options.kinds.some(({ handler }) => handler === oldest?.handler);
        return isAsked ? await inner.claim(group, options) : [];
      },
    }),
  ),
  handoverFault('gives a key to two workers', oneWorker, (inner) => ({
    claim: (group, options) => inner.claim(group, { ...options, worker: 'any' }),
  })),
  handoverFault('gives a key to a worker once at a time', oneWorker, (inner) => {
    let claimed = 0;
    return {
      claim: (group, options) => {
        claimed += 1;
        return inner.claim(group, { ...options, worker: `${options.worker} ${claimed}` });
      },
    };
  }),
  handoverFault(
    'keeps the handlers of a key apart',
    'gives no part of a key to another worker for another handler',
    (inner) => {
      const workers = new Map<string, string>();
      let only = '';
      return {
        claim: (group, options) => {
          const handlers = options.kinds.map(({ handler }) => handler).join();
          only ||= options.worker;
          if (!workers.has(handlers)) workers.set(handlers, only);
          return inner.claim(group, { ...options, worker: workers.get(handlers)! });
        },
      };
    },
  ),
  handoverFault('gives out one key at a time', 'lets keys go side by side', (inner) => {
    const held = new Set<string>();
    return {
      claim: async (group, options) => {
        if (held.size > 0 && !held.has(options.worker)) return [];
        held.add(options.worker);
        return await inner.claim(group, options);
      },
    };
  }),
  handoverFault(
    'gives a key to two workers that ask at once',
    'gives each to one of many workers that ask at once, and each key to one of them',
    (inner) => {
      const asking: string[] = [];
      return {
        claim: async (group, options) => {
          asking.push(options.worker);
          const claims = await inner.claim(group, { ...options, worker: asking[0]! });
          asking.length = 0;
          return claims;
        },
      };
    },
  ),
  handoverFault('gives events to any group', 'keeps groups apart', (inner) => ({
    claim: async (_group, options) => [
      ...(await inner.claim('billing', options)),
      ...(await inner.claim('shipping', options)),
    ],
  })),
];

/** Ways in which a queue can forget who has taken what. */
const leaseFaults: readonly HandoverFault[] = [
  handoverFault('lets claims lapse too soon', 'hold for their time', (inner) => ({
    claim: (group, options) => inner.claim(group, { ...options, leaseMs: options.leaseMs / 50 }),
  })),
  handoverFault('never lets a claim lapse', lapsed, (inner) => ({
    claim: (group, options) => inner.claim(group, { ...options, leaseMs: 3_600_000 }),
  })),
  ...(['renew', 'release', 'settle'] as const).map((name) =>
    handoverFault(`takes a stale token when it is to ${name}`, lapsed, (inner) => {
      const current = new Map<string, HandoverClaim>();
      const latest = (claim: HandoverClaim): HandoverClaim => current.get(claim.handover.id)!;
      return {
        claim: async (group, options) => {
          const claims = await inner.claim(group, options);
          for (const claim of claims) current.set(claim.handover.id, claim);
          return claims;
        },
        [name]: (claim: HandoverClaim) =>
          name === 'renew' ? inner.renew(latest(claim), 60_000) : inner[name](latest(claim)),
      };
    }),
  ),
  handoverFault(
    'lets a former worker go on with the rest of a key',
    'that have lapsed end with the first of their key that another worker takes',
    (inner) => {
      const taken = new Map<string, HandoverClaim>();
      return {
        claim: async (group, options) => {
          const claims = await inner.claim(group, options);
          for (const claim of claims) taken.set(claim.handover.id, claim);
          return claims;
        },
        renew: async (claim, leaseMs) =>
          (await inner.renew(claim, leaseMs)) || taken.get(claim.handover.id) === claim,
        release: async (claim) => {
          taken.delete(claim.handover.id);
          return await inner.release(claim);
        },
        settle: async (claim) => {
          taken.delete(claim.handover.id);
          return await inner.settle(claim);
        },
        retire: async (...given) => {
          taken.clear();
          return await inner.retire(...given);
        },
      };
    },
  ),
  handoverFault('renews nothing', 'hold for longer when they are renewed', () => ({
    renew: async () => true,
  })),
  handoverFault('leaves to its time what is released', released, () => ({
    release: async () => true,
  })),
  handoverFault('puts what is released behind the others', released, (inner) => {
    const late = new Set<string>();
    return {
      release: async (claim) => {
        late.add(claim.handover.id);
        return await inner.release(claim);
      },
      claim: async (group, options) =>
        (await inner.claim(group, options)).toSorted(
          (a, b) => Number(late.has(a.handover.id)) - Number(late.has(b.handover.id)),
        ),
    };
  }),
  handoverFault(
    'gives a key free with the first that is released',
    'keep their key until the last of them is released',
    (inner) => {
      let claims: HandoverClaim[] = [];
      return {
        claim: async (group, options) => (claims = await inner.claim(group, options)),
        release: async (claim) => {
          const others = claims.filter(({ handover }) => handover.id !== claim.handover.id);
          for (const other of others) await inner.release(other);
          return await inner.release(claim);
        },
      };
    },
  ),
  handoverFault('ends a claim as often as it is told', 'end once only', (inner) => {
    const settled = new Set<HandoverClaim>();
    return {
      settle: async (claim) => {
        if (await inner.settle(claim)) settled.add(claim);
        return settled.has(claim);
      },
    };
  }),
];

/** Ways in which a queue can give out handovers wrongly. */
export const handoverClaimFaults: readonly HandoverFault[] = [...takingFaults, ...leaseFaults];

async function claimByKind(
  inner: HandoverQueue,
  group: string,
  options: ClaimOptions,
): Promise<HandoverClaim[]> {
  const claims: HandoverClaim[] = [];
  for (const kind of options.kinds) {
    const limit = options.limit - claims.length;
    if (limit > 0) claims.push(...(await inner.claim(group, { ...options, kinds: [kind], limit })));
  }
  return claims;
}
