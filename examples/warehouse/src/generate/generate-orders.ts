import { chance, chanceBetween } from '../decisions/chance.ts';
import type { Unit } from '../input/unit.ts';
import { toCsv } from '../input/to-csv.ts';

const seed = 'shipped orders';
const header = ['Type', 'Reference', 'Lot', 'Item', 'Unit', 'Buyer', 'Amount', 'Placed At'];
const firstDay = Date.parse('2026-02-02T08:00:00Z');
const openMinutes = 14 * 24 * 60;

/** Lines that ask for nothing that can be served; they end up in the rejects file. */
const badLines: Readonly<Record<number, string>> = {
  40: 'order,ORD-99001,LOT-404,1,1,buyer-003,,2026-02-03T10:00:00Z',
  88: 'bid,BID-99002,LOT-002,3,1,buyer-017,,2026-02-04T10:00:00Z',
  160: 'order,ORD-99003,LOT-003,5,1,buyer-021,50.00,31/02/2026',
};

/** Makes the orders, bids and release requests that ship with the example, for the units of its manifest. */
export function generateOrders(units: readonly Unit[]): string {
  const rows = units.flatMap(demandsFor);
  const placedAt = (row: readonly string[]) => row.at(-1) ?? '';
  const sorted = rows.toSorted((one, other) => (placedAt(one) < placedAt(other) ? -1 : 1));
  const numbered = sorted.map(([kind = '', ...cells], index) => [
    kind,
    `${kind.slice(0, 3).toUpperCase()}-${String(index + 1).padStart(5, '0')}`,
    ...cells,
  ]);
  const lines = toCsv([header, ...numbered])
    .trimEnd()
    .split('\n');
  for (const [line, text] of Object.entries(badLines)) lines.splice(Number(line) - 1, 0, text);
  return `${lines.join('\n')}\n`;
}

function demandsFor(unit: Unit): string[][] {
  const { itemId, product } = unit;
  const draw = chance(seed, 'demand', itemId);
  if (product.client !== undefined) {
    return draw < 0.4 ? [demandRow('release', unit, 0, product.client, '')] : [];
  }
  if (draw < 0.16) return bidsFor(unit);
  if (draw < 0.78) return ordersFor(unit, draw < 0.24 ? 2 : 1);
  return [];
}

function bidsFor(unit: Unit): string[][] {
  const count = chanceBetween(1, 5, seed, 'bids', unit.itemId);
  return Array.from({ length: count }, (_, index) => {
    const share = 0.15 + 0.45 * chance(seed, `bid ${index}`, unit.itemId);
    return demandRow('bid', unit, index, buyerOf(unit, index), amount(unit, share));
  });
}

function ordersFor(unit: Unit, count: number): string[][] {
  return Array.from({ length: count }, (_, index) => {
    const share = chance(seed, `limit ${index}`, unit.itemId);
    const limit = share < 0.4 ? '' : amount(unit, 0.2 + 0.8 * share);
    return demandRow('order', unit, index, buyerOf(unit, index), limit);
  });
}

function demandRow(
  kind: string,
  unit: Unit,
  index: number,
  party: string,
  cents: string,
): string[] {
  const { lot, item } = unit.product;
  const minutes = chanceBetween(0, openMinutes, seed, `${kind} ${index} placed`, unit.itemId);
  const placedAt = new Date(firstDay + minutes * 60_000).toISOString().replace('.000Z', 'Z');
  return [kind, lot, item, unit.itemId.split('/').at(-1) ?? '1', party, cents, placedAt];
}

function buyerOf(unit: Unit, index: number): string {
  const number = chanceBetween(1, 120, seed, `buyer ${index}`, unit.itemId);
  return `buyer-${String(number).padStart(3, '0')}`;
}

function amount(unit: Unit, share: number): string {
  return (Math.round(unit.product.unitRetailCents * share) / 100).toFixed(2);
}
