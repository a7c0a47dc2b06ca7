import { describe, expect, it } from 'vitest';
import { readOrders } from './read-orders.ts';
import { unitsOf, type ManifestLine } from './unit.ts';

const product = (lot: string, quantity: number, client?: string) =>
  ({ lot, item: '1', quantity, client }) as ManifestLine;
const units = unitsOf([product('L1', 3), product('L2', 1, 'bob')]);
const header = 'Type,Reference,Lot,Item,Unit,Buyer,Amount,Placed At';
const read = (...lines: string[]) => readOrders(Buffer.from([header, ...lines].join('\n')), units);
const rejectsOf = (...lines: string[]) => read(...lines).rejects;

describe('readOrders', () => {
  it('reads orders, bids and releases', () => {
    expect(
      read(
        'Order,O1,L1,1,2,ann,,2026-02-01',
        'BID,B1,L1,1,1,cy,9.50,2026-02-02',
        'release,R1,L2,1,,bob,,2026-02-03',
      ).demands,
    ).toMatchObject([
      { kind: 'order', reference: 'O1', itemId: 'L1/1/2', party: 'ann', amountCents: undefined },
      { kind: 'bid', reference: 'B1', itemId: 'L1/1/1', party: 'cy', amountCents: 950 },
      { kind: 'release', reference: 'R1', itemId: 'L2/1/1', placedAt: '2026-02-03T00:00:00.000Z' },
    ]);
  });

  it('assigns units by the place in the file where a line names none, and says when none is left', () => {
    const { demands, rejects } = read(
      'order,O1,L1,1,,ann,,2026-02-09',
      'order,O2,L1,1,,bea,,2026-02-01',
      'order,O3,L1,1,,cy,,2026-02-01',
      'order,O4,L1,1,,dan,,2026-02-01',
    );

    expect(demands.map(({ itemId }) => itemId)).toEqual(['L1/1/1', 'L1/1/2', 'L1/1/3']);
    expect(rejects).toEqual([
      { line: 5, field: 'Item', reason: 'there is no unit L1/1/4 on the manifest' },
    ]);
  });

  it('gathers the bids for an item at its first unit', () => {
    const { demands } = read('bid,B1,L1,1,,ann,1,2026-02-01', 'bid,B2,L1,1,,bea,2,2026-02-01');

    expect(demands.map(({ itemId }) => itemId)).toEqual(['L1/1/1', 'L1/1/1']);
  });

  it.each([
    ['another kind', 'gift,O1,L1,1,1,ann,,2026-02-01', 'Type', 'must be order, bid or release'],
    ['an unknown unit', 'order,O1,L7,1,1,ann,,2026-02-01', 'Item', 'no unit L7/1/1'],
    ['a bid of nothing', 'bid,B1,L1,1,1,ann,0,2026-02-01', 'Amount', 'needs an amount'],
    ['an order for a client’s unit', 'order,O1,L2,1,1,ann,,2026-02-01', 'Item', 'stored for bob'],
    [
      'a release of somebody else’s unit',
      'release,R1,L2,1,1,ann,,2026-02-01',
      'Buyer',
      'not stored for ann',
    ],
    [
      'a release of a unit that is for sale',
      'release,R1,L1,1,1,ann,,2026-02-01',
      'Buyer',
      'not stored',
    ],
    ['a date of nowhere', 'order,O1,L1,1,1,ann,,31/12/2026', 'Placed At', 'must be a date'],
  ])('refuses %s', (_, line, field, reason) => {
    expect(rejectsOf(line)).toEqual([{ line: 2, field, reason: expect.stringContaining(reason) }]);
  });

  it('takes a reference once', () => {
    const line = 'order,O1,L1,1,1,ann,,2026-02-01';

    expect(rejectsOf(line, line)).toEqual([
      { line: 3, field: 'Reference', reason: 'O1 is used at line 2 already' },
    ]);
  });

  it('refuses an order for a unit that goes under the hammer', () => {
    expect(rejectsOf('order,O1,L1,1,1,ann,,2026-02-01', 'bid,B1,L1,1,1,bea,5,2026-02-02')).toEqual([
      { line: 2, field: 'Type', reason: expect.stringContaining('line 3 bids for it') },
    ]);
  });
});
