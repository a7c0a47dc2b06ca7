import { describe, expect, it } from 'vitest';
import { readManifest } from './read-manifest.ts';

const header =
  'Lot,Item,UPC,Brand,Description,Category,Condition,Quantity,Unit Retail,Consignor,Client';
const read = (...lines: string[]) => readManifest(Buffer.from(lines.join('\n')));
const drill = 'L1,1,012345678905,Ironjay,Drill,Power Tools,New,2,"1,049.50",,';

describe('readManifest', () => {
  it('reads what a line says', () => {
    expect(read(header, drill).lines).toEqual([
      {
        line: 2,
        lot: 'L1',
        item: '1',
        upc: '012345678905',
        brand: 'Ironjay',
        description: 'Drill',
        category: 'Power Tools',
        condition: 'New',
        quantity: 2,
        unitRetailCents: 104_950,
        consignor: undefined,
        client: undefined,
      },
    ]);
  });

  it('finds columns in any order and under the names that marketplaces use', () => {
    const file = read(
      'MSRP;Qty;ITEM #;Lot-ID;item_description;Dept;Condition;Notes',
      '12.00;1;7;L9;Rain Jacket;Apparel;Like New;left sleeve',
    );

    expect(file.rejects).toEqual([]);
    expect(file.lines).toMatchObject([
      {
        lot: 'L9',
        item: '7',
        description: 'Rain Jacket',
        category: 'Apparel',
        unitRetailCents: 1200,
      },
    ]);
  });

  it('names a column that is missing, what it could be called, and what there is', () => {
    expect(() => read('Lot,Item,Description,Category,Condition,Pieces,Unit Retail')).toThrow(
      /no column for quantity \(or: qty, units\)\. Its header has: Lot, Item, .*Pieces/,
    );
  });

  it('names everything that is wrong with a line, in the words of the file, and takes the others', () => {
    const { lines, rejects } = read(header, 'L1,2,,,,Power Tools,New,none,free,,', drill);

    expect(rejects).toEqual([
      { line: 2, field: 'Description', reason: 'is empty' },
      { line: 2, field: 'Quantity', reason: expect.stringContaining('"none"') },
      { line: 2, field: 'Unit Retail', reason: expect.stringContaining('"free"') },
    ]);
    expect(lines).toMatchObject([{ line: 3 }]);
  });

  it('takes an item of a lot once', () => {
    const { lines, rejects } = read(header, drill, drill, drill.replace('L1', 'L2'));

    expect(lines).toMatchObject([{ line: 2 }, { line: 4 }]);
    expect(rejects).toEqual([
      { line: 3, field: 'Item', reason: '1 is in lot L1 already, at line 2' },
    ]);
  });

  it('gives a lot one owner', () => {
    const { lines, rejects } = read(
      header,
      'L1,1,,,Drill,Tools,New,1,9,ann,',
      'L1,2,,,Saw,Tools,New,1,9,,',
      'L2,1,,,Saw,Tools,New,1,9,,bob',
      'L2,2,,,Saw,Tools,New,1,9,ann,bob',
    );

    expect(lines).toMatchObject([{ consignor: 'ann' }, { client: 'bob' }]);
    expect(rejects).toEqual([
      { line: 3, field: 'Consignor', reason: expect.stringContaining('on consignment from ann') },
      { line: 5, field: 'Client', reason: expect.stringContaining('not both') },
    ]);
  });
});
