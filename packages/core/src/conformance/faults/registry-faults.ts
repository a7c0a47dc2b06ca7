import type {
  GroupRegistry,
  KnownHandlerSet,
  RegistryCopy,
} from '../../transport/group-registry.ts';
import { randomIds } from '../../ids.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { TransportConformanceOptions } from '../transport/transport-bench.ts';
import { changed } from './changed.ts';
import { transportFault, type TransportChanges } from './transport-fault.ts';

const fields = 'tells every instance what is registered, each field as it was given';
const seenAnew = 'sees an instance anew that registers again, and stays the version that it was';
const versions = 'has another version after each change of what is registered';
const owners = 'belongs to the service that came first, and then to the next that has something';
const retires = 'forgets a handler that is retired, and nothing else';
const atOnce = 'loses nothing of instances that register and retire at once';

/** Who handles what is remembered wrongly, or under the wrong version. */
export const registryFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  {
    name: 'claims a registry that it has not, or hides the one that it has',
    noticedBy: 'offers a registry exactly if it claims one',
    plant: (options) => {
      const registry = !options.capabilities.registry;
      return { ...options, capabilities: { ...options.capabilities, registry } };
    },
  },
  transportFault('makes an object of an empty list', fields, () =>
    onSets((set) => ({ ...set, handlers: set.handlers.length > 0 ? set.handlers : ({} as never) })),
  ),
  transportFault('keeps names in ASCII alone', fields, () =>
    onSets((set) => ({ ...set, service: set.service.replaceAll(/[^ -~]/g, '?') })),
  ),
  transportFault('has another version whenever an instance is seen', seenAnew, () =>
    onCopies((copy) => ({ ...copy, version: randomIds() })),
  ),
  transportFault('does not note that an instance is seen again', seenAnew, () => {
    const first = new Map<string, string>();
    return onSets((set) => {
      const worker = first.get(set.id) ?? set.worker;
      first.set(set.id, worker);
      return { ...set, worker, seenAgoMs: set.registeredAgoMs };
    });
  }),
  transportFault('has one version for ever', versions, () =>
    onCopies((copy) => ({ ...copy, version: 'same' })),
  ),
  transportFault('stays the version that it was where a set is replaced', versions, () => {
    let last: { ids: string; version: string } | undefined;
    return onCopies((copy) => {
      const ids = copy.sets.map(({ id }) => id).join();
      last = last?.ids === ids ? last : { ids, version: copy.version };
      return { ...copy, version: last.version };
    });
  }),
  transportFault('belongs to its first service for ever', owners, () => {
    let first = '';
    return onCopies((copy) => ({ ...copy, owner: (first ||= copy.owner) }));
  }),
  transportFault('belongs to the service that came last', owners, () =>
    onCopies((copy) => ({ ...copy, owner: copy.sets.at(-1)?.service ?? '' })),
  ),
  transportFault('retires a whole service for one of its handlers', retires, () =>
    onRegistry((inner) => ({ retire: (group, { service }) => inner.retire(group, { service }) })),
  ),
  transportFault('retires a handler of every service that has one of that name', retires, () =>
    onRegistry((inner) => ({
      retire: async (group, { name }) => {
        const { sets } = await inner.read(group);
        const all = sets.map(({ service }) => inner.retire(group, { service, name }));
        return (await Promise.all(all)).includes(true);
      },
    })),
  ),
  transportFault('keeps a set that has no handlers any more', retires, keepingEmptySets),
  transportFault('says that it has retired what nobody has', retires, () =>
    onRegistry((inner) => ({
      retire: async (...given) => (await inner.retire(...given)) || true,
    })),
  ),
  transportFault('loses one of two instances that register at once', atOnce, () => {
    let busy = 0;
    return onRegistry((inner) => ({
      register: async (group, ...given) => {
        if (busy > 0) return await inner.read(group);
        busy += 1;
        return await inner.register(group, ...given).finally(() => (busy -= 1));
      },
    }));
  }),
  transportFault('forgets the oldest of many sets', atOnce, () =>
    onCopies((copy) => ({ ...copy, sets: copy.sets.slice(-10) })),
  ),
  transportFault(
    'has one registry for all groups',
    'keeps the registries of two groups apart',
    () =>
      onRegistry((inner) => ({
        register: (_group, ...given) => inner.register('all', ...given),
        read: () => inner.read('all'),
        retire: (_group, handler) => inner.retire('all', handler),
      })),
  ),
  transportFault(
    'answers with what it knew last while its broker is away',
    'says by name that its broker is away',
    () => {
      let last: RegistryCopy | undefined;
      return onRegistry((inner) => ({
        register: async (...given) => {
          const known = last;
          const registering = inner.register(...given);
          last = await (known ? registering.catch(() => known) : registering);
          return last;
        },
      }));
    },
  ),
];

/** Lets a fault change the registry of a transport that has one. */
function onRegistry(change: (inner: GroupRegistry) => Partial<GroupRegistry>): TransportChanges {
  return ({ registry }) => (registry ? { registry: changed(registry, change(registry)) } : {});
}

/** Lets a fault change what is answered of a registry. */
function onCopies(change: (copy: RegistryCopy) => RegistryCopy): TransportChanges {
  return onRegistry((inner) => ({
    register: async (...given) => change(await inner.register(...given)),
    read: async (group) => change(await inner.read(group)),
  }));
}

/** Lets a fault change each set that is answered. */
function onSets(change: (set: KnownHandlerSet) => KnownHandlerSet): TransportChanges {
  return onCopies((copy) => ({ ...copy, sets: copy.sets.map(change) }));
}

/** A registry that takes all handlers out of a set, and leaves it there. */
function keepingEmptySets(): TransportChanges {
  const emptied: KnownHandlerSet[] = [];
  const withEmptied = (copy: RegistryCopy): RegistryCopy => {
    const ids = new Set(copy.sets.map(({ id }) => id));
    return { ...copy, sets: [...copy.sets, ...emptied.filter(({ id }) => !ids.has(id))] };
  };
  return onRegistry((inner) => ({
    register: async (...given) => withEmptied(await inner.register(...given)),
    read: async (group) => withEmptied(await inner.read(group)),
    retire: async (group, handler) => {
      const { sets } = await inner.read(group);
      const retired = await inner.retire(group, handler);
      const left = new Set((await inner.read(group)).sets.map(({ id }) => id));
      const gone = sets.filter(({ id }) => !left.has(id));
      emptied.push(...gone.map((set) => ({ ...set, handlers: [] })));
      return retired;
    },
  }));
}
