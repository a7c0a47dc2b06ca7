import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { InputError } from './input/input-error.ts';

const example = join(import.meta.dirname, '..');

/** What a person asks for on the command line. */
export interface Options {
  readonly command: 'run' | 'check' | 'item' | 'help';
  readonly manifest: string;
  /** Absent with a manifest of one's own and no orders for it: then nothing is ordered. */
  readonly orders: string | undefined;
  readonly seed: string;
  readonly dataFolder: string;
  readonly fresh: boolean;
  /** The unit whose life is shown, with `item`. */
  readonly qlid: string;
  /** What further commands need on their line to find the same data; empty for the usual folder. */
  readonly dataOption: string;
}

/** What `--help` prints. */
export const help = `A liquidation warehouse: sixteen services that talk by events alone.

  npm start                                      runs it over the manifest that comes with it
  npm start -- --manifest my.csv --orders mine.csv

  --manifest <file>  goods that come in: lot, item, UPC, brand, description, category, condition,
                     quantity, unit retail, and where they are not yours, consignor or client
  --orders <file>    type (order, bid, release), reference, lot, item, unit, buyer, amount, placed at
  --seed <text>      decides grades, repairs and prices; the same seed decides the same ("waybill")
  --data <folder>    where everything is kept (.data/warehouse)
  --fresh            starts over
  --check            only proves once more that nothing was lost, doubled or made up
  --item <qlid>      only shows the life of one unit
  --help             prints this

DATABASE_URL=postgres://… runs it on that server instead, in a schema of its own named warehouse.`;

/** Where relative paths begin. */
export interface Folders {
  /** Folder that the person is in; `npm` runs scripts in another one. */
  readonly person: string;
  /** Folder that the process is in. */
  readonly process: string;
}

/**
 * Reads the command line.
 *
 * @throws {InputError} If an option is unknown, lacks its value or contradicts another one.
 */
export function readOptions(args: readonly string[], folders: Folders): Options {
  const { values } = parse(args);
  const path = (given: string) => resolve(folders.person, given);
  if (values.orders !== undefined && values.manifest === undefined) {
    throw new InputError('--orders needs the --manifest that they are for');
  }
  if (values.item !== undefined && !/^\d{9}$/.test(values.item)) {
    throw new InputError(`--item needs a qlid of nine digits, got ${JSON.stringify(values.item)}`);
  }
  return {
    command: commandOf(values),
    manifest: path(values.manifest ?? join(example, 'data', 'manifest.csv')),
    orders: ordersOf(values, path),
    seed: values.seed ?? 'waybill',
    dataFolder: values.data ? path(values.data) : join(folders.process, '.data', 'warehouse'),
    fresh: values.fresh ?? false,
    qlid: values.item ?? '',
    dataOption: values.data === undefined ? '' : ` --data ${values.data}`,
  };
}

type Values = ReturnType<typeof parse>['values'];

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        manifest: { type: 'string' },
        orders: { type: 'string' },
        seed: { type: 'string' },
        data: { type: 'string' },
        fresh: { type: 'boolean' },
        check: { type: 'boolean' },
        item: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new InputError(`${(error as Error).message.split('. ')[0]}\n\n${help}`, { cause: error });
  }
}

function commandOf({ help: wantsHelp, check, item, fresh }: Values): Options['command'] {
  if (wantsHelp) return 'help';
  const command = check ? 'check' : item === undefined ? 'run' : 'item';
  if (command !== 'run' && fresh)
    throw new InputError(`--${command} only looks; leave out --fresh`);
  return command;
}

function ordersOf(values: Values, path: (given: string) => string): string | undefined {
  if (values.orders !== undefined) return path(values.orders);
  return values.manifest === undefined ? join(example, 'data', 'orders.csv') : undefined;
}
