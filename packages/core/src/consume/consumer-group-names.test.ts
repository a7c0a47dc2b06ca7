import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import { raise, recording } from '../../test/handlers.ts';
import { until } from '../../test/until.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

const once = { maxRetries: 0 };

describe('a handler that was called something else', () => {
  it('does not apply again what was applied under a former name', async () => {
    const before = bench.group();
    before.on(['item.graded'], () => {}, { inbox: true });
    await before.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    await bench.stop(before);

    const group = bench.group();
    const { handled, handler } = recording();
    group.on(['item.received', 'item.graded'], handler, { inbox: true, formerly: ['item.graded'] });
    await group.start();
    bench.publish({ id: 'e1' }, { id: 'e2' });
    await bench.settled();
    expect(handled).toEqual(['e2']);
    expect(bench.seen.of('duplicate-skipped')).toMatchObject([
      { handler: 'item.graded,item.received', eventId: 'e1' },
    ]);
  });

  it('has its events known by an instance that still calls it so', async () => {
    const group = bench.group();
    group.on(['item.*'], () => {}, { name: 'grade', inbox: true, formerly: ['item.*'] });
    await group.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    await bench.stop(group);

    const rolledBack = bench.group();
    rolledBack.on(['item.*'], () => expect.fail('applied again'), { inbox: true });
    await rolledBack.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect(bench.seen.of('duplicate-skipped')).toMatchObject([{ handler: 'item.*' }]);
  });

  it('settles a repeated delivery of what failed under a former name, and takes its redrive', async () => {
    const before = bench.group();
    before.on(['item.*'], () => raise(new Error('no')), { retry: once });
    await before.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    await bench.stop(before);

    const transport = bench.transportWith({
      deliver: (deliver, delivery) => deliver({ ...delivery, mayBeRepeated: true }),
    });
    const group = bench.group({ transport });
    const { handled, handler } = recording();
    group.on(['item.*'], handler, { name: 'grade', formerly: ['item.*'] });
    group.on(['item.*'], () => {}, { name: 'other' });
    await group.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect(bench.seen.of('dead-letter-known')).toMatchObject([{ handler: 'grade' }]);

    const [letter] = await bench.deadLetters.list();
    expect(letter).toMatchObject({ handler: 'item.*', eventId: 'e1' });
    await bench.deadLetters.redrive(letter!.id);
    await bench.clock.advance(1_000);
    await until(() => bench.seen.of('redriven').length === 1, 'it was run again');
    expect(handled).toEqual(['e1']);
    expect(await bench.deadLetters.get(letter!.id)).toMatchObject({ status: 'resolved' });
  });
});

describe('handlers without names on the same types', () => {
  it('are warned of, with both names and what to do', () => {
    const group = bench.group();
    group.on(['item.*', 'a.b'], () => {});
    group.on(['a.b', 'item.*'], () => {});
    expect(bench.seen.of('warning')).toMatchObject([
      {
        code: 'HANDLER_UNNAMED',
        message: expect.stringMatching(
          /^handlers a\.b,item\.\* and a\.b,item\.\*#2 are .*give each a name/,
        ),
      },
    ]);
  });

  it('are not warned of where it is meant, named, or nothing is kept of them', () => {
    const group = bench.group();
    group.on(['item.*'], () => {});
    group.on(['item.*'], () => {}, { silence: ['HANDLER_UNNAMED'] });
    group.on(['item.*'], () => {}, { name: 'third' });
    const broadcast = bench.group({ group: null });
    broadcast.on(['item.*'], () => {});
    broadcast.on(['item.*'], () => {});
    expect(bench.seen.of('warning')).toEqual([]);
    expect(() => broadcast.on(['a.b'], () => {}, { formerly: ['x'] })).toThrow(/former names/);
  });
});
