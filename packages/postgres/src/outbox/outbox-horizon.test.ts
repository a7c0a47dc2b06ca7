import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { OutboxHorizon } from './outbox-horizon.ts';

/** What may happen between two looks: a writer begins, takes a row id, or ends. */
const steps = fc.array(
  fc.record({
    what: fc.constantFrom('begin', 'insert', 'end', 'look'),
    which: fc.nat({ max: 5 }),
  }),
  { maxLength: 200 },
);

describe('the outbox horizon', () => {
  it('never settles an id whose writer still runs', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const horizon = new OutboxHorizon();
        /** Running writers: transaction id and the row ids that they have taken. */
        const running: { xid: bigint; ids: bigint[] }[] = [];
        let nextXid = 10n;
        let lastId = 0n;
        for (const { what, which } of sequence) {
          const writer = running[which % Math.max(running.length, 1)];
          if (what === 'begin') running.push({ xid: nextXid++, ids: [] });
          else if (what === 'insert') writer?.ids.push(++lastId);
          else if (what === 'end' && writer) running.splice(running.indexOf(writer), 1);
          else if (what === 'look') {
            const xids = running.map(({ xid }) => xid);
            const xmin = xids.reduce((least, xid) => (xid < least ? xid : least), nextXid);
            const settled = horizon.observe({ lastId, xmin, xmax: nextXid });
            for (const { ids } of running) {
              for (const id of ids) expect(id).toBeGreaterThan(settled);
            }
          }
        }
      }),
    );
  });

  it('catches up with the last id once nobody writes', () => {
    const horizon = new OutboxHorizon();
    const looks = [1, 2, 3].map(() => horizon.observe({ lastId: 42n, xmin: 9n, xmax: 9n }));
    expect(looks.at(-1)).toBe(42n);
  });
});
