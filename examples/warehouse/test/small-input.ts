import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const data = join(import.meta.dirname, '..', 'data');

/** Ours, on consignment, and stored for a client: together these lots put a row into every table. */
const lots = /\bLOT-0(04|07|08|19)\b/;

/** One line that cannot be used, as there is in every real manifest. */
const badLine = 'LOT-004,99,,,Chair without a price,Home & Kitchen,New,1,tbd,harbor-outlet,';

/** Paths of a manifest and its orders. */
export interface InputFiles {
  readonly manifest: string;
  readonly orders: string;
}

/** Writes a few lots of the shipped input into a folder, with the orders for them. */
export async function writeSmallInput(folder: string): Promise<InputFiles> {
  const copy = async (file: string) => {
    const [header, ...lines] = (await readFile(join(data, file), 'utf8')).split('\n');
    const kept = lines.filter((line) => lots.test(line));
    const added = file === 'manifest.csv' ? [badLine] : [];
    await writeFile(join(folder, file), `${[header, ...kept, ...added].join('\n')}\n`);
    return join(folder, file);
  };
  return { manifest: await copy('manifest.csv'), orders: await copy('orders.csv') };
}
