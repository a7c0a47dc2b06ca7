import { chance, chanceBetween, chanceOf } from '../decisions/chance.ts';
import { toCsv } from '../input/to-csv.ts';

const seed = 'shipped manifest';
const lotCount = 23;
const itemsPerLot = 24;

interface Range {
  readonly category: string;
  readonly brands: readonly [string, ...string[]];
  readonly products: readonly [string, ...string[]];
  /** Lowest and highest retail price, in cents. */
  readonly retailCents: readonly [lowest: number, highest: number];
}

/** All brands are made up. */
const ranges: readonly [Range, ...Range[]] = [
  {
    category: 'Electronics',
    brands: ['Voltaro', 'Nimbus Audio', 'Kestrel', 'Pixelight'],
    products: [
      'Bluetooth Speaker, 20 W',
      'Tablet 10.1" 64 GB',
      'Noise Cancelling Headphones',
      '27" Monitor',
    ],
    retailCents: [29_99, 349_99],
  },
  {
    category: 'Small Appliances',
    brands: ['Hearthly', 'Brewster & Co', 'Nordkitchen'],
    products: ['Espresso Machine', 'Air Fryer, 5 qt', 'Stand Mixer', 'Robot Vacuum'],
    retailCents: [39_99, 299_99],
  },
  {
    category: 'Power Tools',
    brands: ['Ironjay', 'Torqfield'],
    products: ['Cordless Drill, 18 V', 'Circular Saw 7 1/4"', 'Orbital Sander'],
    retailCents: [49_99, 229_99],
  },
  {
    category: 'Home & Kitchen',
    brands: ['Larkhome', 'Oat & Linen', 'Casa Verde'],
    products: ['Knife Set, 12 pieces', 'Cast Iron Pan', 'Storage Baskets, set of 3', 'Desk Lamp'],
    retailCents: [14_99, 129_99],
  },
  {
    category: 'Apparel',
    brands: ['Fieldnote', 'Marlowe', 'Second Summit'],
    products: ['Rain Jacket', 'Wool Sweater', 'Denim Jeans', 'Running Tights'],
    retailCents: [19_99, 149_99],
  },
  {
    category: 'Toys & Games',
    brands: ['Bricklet', 'Wunderbus'],
    products: ['Wooden Train Set', 'Building Blocks, 500 pieces', 'Board Game "Harbor Rush"'],
    retailCents: [12_99, 79_99],
  },
  {
    category: 'Beauty',
    brands: ['Solen', 'Mirra Botanics'],
    products: ['Face Serum', 'Hair Dryer', 'Gift Box, 6 soaps'],
    retailCents: [9_99, 89_99],
  },
  {
    category: 'Sporting Goods',
    brands: ['Ridgeback', 'Tidewell'],
    products: ['Yoga Mat', 'Camping Tent, 4 persons', 'Adjustable Dumbbells'],
    retailCents: [19_99, 249_99],
  },
];

const conditions = [
  'New',
  'New',
  'Like New',
  'Like New',
  'Customer Returns',
  'Customer Returns',
  'Customer Returns',
  'Used - Good',
  'Salvage',
] as const;

/** Lots that are not ours: goods on consignment, and goods that are stored for clients. */
const consignors: Readonly<Record<number, string>> = {
  4: 'harbor-outlet',
  11: 'marlowe-estate',
  18: 'harbor-outlet',
};
const clients: Readonly<Record<number, string>> = { 8: 'fernleaf-toys', 16: 'tidewell' };

const header = [
  'Lot ID',
  'Item #',
  'UPC',
  'Brand',
  'Item Description',
  'Category',
  'Condition',
  'Qty',
  'Unit Retail',
  'Consignor',
  'Client',
];

/** Real manifests have such lines too. They end up in the rejects file, and nothing else comes of it. */
const badLines: Readonly<Record<number, string>> = {
  97: 'LOT-005,25,,Hearthly,Toaster with a torn label,Small Appliances,Customer Returns,two,39.99,,',
  214: 'LOT-009,25,,Kestrel,Laptop Stand,Electronics,New,1,call us,,',
  215: 'LOT-009,26,,,,Electronics,New,1,24.99,,',
  356: 'LOT-015,25,,Larkhome,"Pillow 20" x 20"",Home & Kitchen,New,1,19.99,,',
  490: 'LOT-021,25,Ironjay,Bench Grinder,Power Tools,New,1',
};

/** Makes the manifest that ships with the example. */
export function generateManifest(): string {
  const rows = Array.from({ length: lotCount * itemsPerLot }, (_, index) => manifestRow(index));
  const lines = toCsv([header, ...rows])
    .trimEnd()
    .split('\n');
  for (const [line, text] of Object.entries(badLines)) lines.splice(Number(line) - 1, 0, text);
  return `${lines.join('\n')}\n`;
}

function manifestRow(index: number): string[] {
  const lot = Math.floor(index / itemsPerLot) + 1;
  const subject = String(index);
  const range = chanceOf(ranges, seed, 'range', subject);
  const [lowest, highest] = range.retailCents;
  const retailCents =
    chanceBetween(Math.floor(lowest / 50), Math.floor(highest / 50), seed, 'retail', subject) * 50 +
    49;
  return [
    `LOT-${String(lot).padStart(3, '0')}`,
    String((index % itemsPerLot) + 1),
    chance(seed, 'has upc', subject) < 0.9 ? upcOf(subject) : '',
    chanceOf(range.brands, seed, 'brand', subject),
    chanceOf(range.products, seed, 'product', subject),
    range.category,
    chanceOf(conditions, seed, 'condition', subject),
    String(quantityOf(subject)),
    (retailCents / 100).toFixed(2),
    consignors[lot] ?? '',
    clients[lot] ?? '',
  ];
}

function quantityOf(subject: string): number {
  const draw = chance(seed, 'quantity', subject);
  if (draw < 0.86) return 1;
  return draw < 0.96 ? 2 : 4;
}

/** Twelve digits, the last of which checks the others, as scanners want it. */
function upcOf(subject: string): string {
  const digits = String(chanceBetween(10_000_000_000, 99_999_999_999, seed, 'upc', subject));
  const weighted = digits
    .split('')
    .map((digit, index) => Number(digit) * (index % 2 === 0 ? 3 : 1));
  const sum = weighted.reduce((total, value) => total + value, 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}
