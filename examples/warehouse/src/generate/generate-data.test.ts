import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadInput } from '../input/load-input.ts';
import { readManifest } from '../input/read-manifest.ts';
import { unitsOf } from '../input/unit.ts';
import { generateManifest } from './generate-manifest.ts';
import { generateOrders } from './generate-orders.ts';

const folder = join(import.meta.dirname, '..', '..', 'data');
const shipped = (file: string) => readFile(join(folder, file), 'utf8');

describe('the input that ships', () => {
  it('is what npm run generate writes', async () => {
    const manifest = generateManifest();

    expect(await shipped('manifest.csv')).toBe(manifest);
    const units = unitsOf(readManifest(Buffer.from(manifest)).lines);
    expect(await shipped('orders.csv')).toBe(generateOrders(units));
  });

  it('has five hundred lines and more, and every kind of goods and of demand', async () => {
    const input = await loadInput(join(folder, 'manifest.csv'), join(folder, 'orders.csv'));

    expect(input.lines.length).toBeGreaterThanOrEqual(500);
    expect(input.lines.some(({ consignor }) => consignor !== undefined)).toBe(true);
    expect(input.lines.some(({ client }) => client !== undefined)).toBe(true);
    expect(new Set(input.demands.map(({ kind }) => kind))).toEqual(
      new Set(['order', 'bid', 'release']),
    );
  });

  it('has a few lines that cannot be used, each for another reason', async () => {
    const { rejects } = await loadInput(join(folder, 'manifest.csv'), join(folder, 'orders.csv'));

    expect(rejects.map(({ file }) => file)).toContain('orders.csv');
    expect(rejects.length).toBeGreaterThan(4);
    expect(new Set(rejects.map(({ reason }) => reason)).size).toBe(rejects.length);
  });
});
