import assert from 'node:assert/strict';

import { isEventError } from '../../errors.ts';
import { itWhen, type TestApi } from '../test-api.ts';
import { handlerSet, idsIn, registeredHandler, registryOf } from './registry-bench.ts';
import { onBench, type TransportConformanceOptions } from './transport-bench.ts';

/** Who handles what in a group is known to all of its instances, and under one version. */
export function describeRegistry(
  options: TransportConformanceOptions,
  { describe, it }: TestApi,
): void {
  const bench = onBench(options);
  const { capabilities, breaksServer = false } = options;
  const { registry: claimed } = capabilities;
  const whenKept = itWhen(it, claimed, 'keeps no registry');
  const whenBroken = claimed ? itWhen(it, breaksServer, 'cannot break its server') : whenKept;

  describe('registry', () => {
    it(
      'offers a registry exactly if it claims one',
      bench(async (b) => {
        const { registry } = await b.open();
        assert.equal(registry !== undefined, claimed, `registry is claimed: ${claimed}`);
      }),
    );

    whenKept(
      'knows nothing of a group that nobody has registered in',
      bench(async (b) => {
        const registry = registryOf(await b.open());
        const { owner, sets } = await registry.read(b.group('empty'));
        assert.deepEqual([owner, sets], ['', []]);
        const retired = await registry.retire(b.group('empty'), { service: 'grader' });
        assert.equal(retired, false, 'nothing to retire');
      }),
    );

    whenKept(
      'tells every instance what is registered, each field as it was given',
      bench(async (b) => {
        const [own, other] = [registryOf(await b.open()), registryOf(await b.open())];
        const group = b.group('fields');
        const sets = [
          handlerSet('a', { service: '', versions: { 'item.graded': 3, 'item.*': 12 } }),
          handlerSet('set:b', {
            service: 'grader "α" \\ \u2028 %s',
            sharedBy: 'a database',
            handlers: [
              registeredHandler("it's {0}", { patterns: ['*', 'item.*', 'x.y.z'], derived: true }),
              registeredHandler('né 🎓', { formerly: ['', 'worker:a', 'item.graded,item.sold'] }),
            ],
          }),
          handlerSet('version', { handlers: [], sharedBy: '' }),
        ];
        for (const [index, set] of sets.entries()) {
          await own.register(group, set, `worker ${index}`);
          await b.timeBetween();
        }
        const copy = await other.read(group);
        assert.deepEqual(
          copy.sets.map(({ worker, registeredAgoMs: _first, seenAgoMs: _last, ...set }) => [
            worker,
            set,
          ]),
          sets.map((set, index) => [`worker ${index}`, set]),
        );
        for (const { registeredAgoMs, seenAgoMs } of copy.sets) {
          // They may be counted from two moments, one right after the other.
          assert.ok(seenAgoMs >= 0 && registeredAgoMs + 1 >= seenAgoMs, 'times are ages');
        }
        assert.deepEqual(await own.register(group, sets[0]!, 'worker 0').then(idsIn), idsIn(copy));
      }),
    );

    whenKept(
      'sees an instance anew that registers again, and stays the version that it was',
      bench(async (b) => {
        const [own, other] = [registryOf(await b.open()), registryOf(await b.open())];
        const group = b.group('seen');
        const set = handlerSet('a', { versions: { 'item.sold': 2, 'item.graded': 1 } });
        const first = await own.register(group, set, 'worker-1');
        await b.timeBetween();
        const second = await other.register(group, set, 'worker-2');
        assert.equal(second.version, first.version, 'nothing has changed');
        assert.equal((await own.read(group)).version, first.version, 'to be read changes nothing');
        const [seen] = second.sets;
        assert.equal(seen!.worker, 'worker-2', 'the one that was seen last');
        assert.ok(seen!.registeredAgoMs > seen!.seenAgoMs, 'registered first, and seen just now');
      }),
    );

    whenKept(
      'has another version after each change of what is registered',
      bench(async (b) => {
        const registry = registryOf(await b.open());
        const group = b.group('versions');
        const set = handlerSet('a');
        const versions = [(await registry.read(group)).version];
        const register = async (next: typeof set): Promise<void> => {
          versions.push((await registry.register(group, next, 'worker-1')).version);
        };
        await register(set);
        await register({ ...set, handlers: [...set.handlers, registeredHandler('second')] });
        await register({ ...set, versions: { 'item.graded': 2 } });
        await register({ ...set, sharedBy: 'a database' });
        await register(set);
        await register(handlerSet('b'));
        await registry.retire(group, { service: 'grader', name: 'handler b' });
        versions.push((await registry.read(group)).version);
        assert.equal(new Set(versions).size, versions.length, versions.join(', '));
        assert.deepEqual((await registry.read(group)).sets[0]!.handlers, set.handlers);
      }),
    );

    whenKept(
      'belongs to the service that came first, and then to the next that has something left',
      bench(async (b) => {
        const registry = registryOf(await b.open());
        const group = b.group('owners');
        for (const service of ['zebra', 'ant', 'bee']) {
          await registry.register(group, handlerSet(service, { service }), 'worker-1');
          await b.timeBetween();
        }
        const owners: string[] = [];
        for (const service of ['', 'zebra', 'bee', 'ant']) {
          await registry.retire(group, { service });
          owners.push((await registry.read(group)).owner);
        }
        assert.deepEqual(owners, ['zebra', 'ant', 'ant', '']);
      }),
    );

    whenKept(
      'forgets a handler that is retired, and nothing else',
      bench(async (b) => {
        const registry = registryOf(await b.open());
        const group = b.group('retired');
        const [grade, sell] = [registeredHandler('grade'), registeredHandler('sell')];
        const both = handlerSet('both', { handlers: [grade, sell] });
        await registry.register(group, both, 'worker-1');
        await registry.register(group, handlerSet('one', { handlers: [grade] }), 'worker-1');
        const foreign = handlerSet('foreign', { service: 'seller', handlers: [grade] });
        await registry.register(group, foreign, 'worker-1');
        const before = await registry.read(group);
        for (const handler of [{ service: 'x' }, { service: 'seller', name: 'sell' }]) {
          assert.equal(await registry.retire(group, handler), false, 'is not registered');
        }
        assert.equal((await registry.read(group)).version, before.version);
        assert.equal(await registry.retire(group, { service: 'grader', name: 'grade' }), true);
        const after = await registry.read(group);
        assert.notEqual(after.version, before.version);
        assert.deepEqual(idsIn(after), ['both', 'foreign'], 'a set without handlers goes');
        const left = after.sets.map(({ id, handlers }) => [id, handlers.map(({ name }) => name)]);
        assert.deepEqual(Object.fromEntries(left), { both: ['sell'], foreign: ['grade'] });
        assert.equal(await registry.retire(group, { service: 'grader', name: 'grade' }), false);
        const again = await registry.register(group, both, 'worker-1');
        assert.notEqual(again.version, after.version);
        assert.deepEqual(again.sets.find(({ id }) => id === 'both')!.handlers, both.handlers);
      }),
    );

    whenKept(
      'forgets all that a service has where the service is retired',
      bench(async (b) => {
        const registry = registryOf(await b.open());
        const group = b.group('retired-service');
        for (const id of ['a', 'b']) await registry.register(group, handlerSet(id), 'worker-1');
        await registry.register(group, handlerSet('c', { service: 'seller' }), 'worker-1');
        assert.equal(await registry.retire(group, { service: 'grader' }), true);
        assert.deepEqual(idsIn(await registry.read(group)), ['c']);
      }),
    );

    whenKept(
      'loses nothing of instances that register and retire at once',
      bench(async (b) => {
        const registries = [registryOf(await b.open()), registryOf(await b.open())];
        const group = b.group('at-once');
        const ids = Array.from({ length: 12 }, (_, number) => `set ${number + 10}`);
        await registries[0]!.register(group, handlerSet('old', { service: 'old' }), 'worker-1');
        const [, ...copies] = await Promise.all([
          registries[0]!.retire(group, { service: 'old' }),
          ...ids.map((id, index) =>
            registries[index % 2]!.register(group, handlerSet(id), `worker ${id}`),
          ),
        ]);
        const end = await registries[0]!.read(group);
        assert.deepEqual(idsIn(end), ids);
        for (const [index, copy] of copies.entries()) {
          assert.ok(idsIn(copy).includes(ids[index]!), 'who has registered is in its own copy');
          if (copy.version === end.version) assert.deepEqual(idsIn(copy), ids);
        }
      }),
    );

    whenKept(
      'keeps the registries of two groups apart',
      bench(async (b) => {
        const registry = registryOf(await b.open());
        const [one, two] = [b.group('one'), b.group('two')];
        const first = await registry.register(one, handlerSet('a'), 'worker-1');
        const second = await registry.register(two, handlerSet('b'), 'worker-1');
        assert.deepEqual([idsIn(first), idsIn(second)], [['a'], ['b']]);
        await registry.retire(two, { service: 'grader' });
        const after = await registry.read(one);
        assert.deepEqual([after.version, idsIn(after)], [first.version, ['a']]);
      }),
    );

    whenBroken(
      'says by name that its broker is away',
      bench(async (b) => {
        const registry = registryOf(await b.open());
        const group = b.group('away');
        await registry.register(group, handlerSet('a'), 'worker-1');
        const isAway = (error: unknown): boolean => isEventError(error) && error.retryable;
        await b.whileBroken(async () => {
          await assert.rejects(registry.register(group, handlerSet('b'), 'worker-1'), isAway);
          await assert.rejects(registry.read(group), isAway);
          await assert.rejects(registry.retire(group, { service: 'grader' }), isAway);
        });
        let ids: string[] = [];
        await b.until(
          async () => {
            ids = await registry.read(group).then(idsIn, () => []);
            return ids.includes('a');
          },
          () => `what was registered before; it says ${ids.join(', ')}`,
        );
      }),
    );
  });
}
