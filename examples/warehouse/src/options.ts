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
  /** What the names of the streams on Redis begin with; absent where all services share one process. */
  readonly streams: string | undefined;
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
  --distributed      runs sixteen processes, one for each service, on Redis and PostgreSQL
  --streams <prefix> what the names of their streams begin with ("quickwms:events:")
  --check            only proves once more that nothing was lost, doubled or made up
  --item <qlid>      only shows the life of one unit
  --help             prints this

DATABASE_URL=postgres://… runs it on that server instead, in a schema of its own named warehouse.
With --distributed, that and REDIS_URL=redis://… say which servers to use. Those that are not given
are started, and their data goes when the run ends.`;

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
  assertUsable(values);
  const path = (given: string) => resolve(folders.person, given);
  return {
    command: commandOf(values),
    manifest: path(values.manifest ?? join(example, 'data', 'manifest.csv')),
    orders: ordersOf(values, path),
    seed: values.seed ?? 'waybill',
    dataFolder: values.data ? path(values.data) : join(folders.process, '.data', 'warehouse'),
    fresh: values.fresh ?? false,
    streams: values.distributed ? (values.streams ?? 'quickwms:events:') : undefined,
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
        distributed: { type: 'boolean' },
        streams: { type: 'string' },
        check: { type: 'boolean' },
        item: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new InputError(`${(error as Error).message.split('. ')[0]}\n\n${help}`, { cause: error });
  }
}

function assertUsable({ orders, manifest, item, streams, distributed }: Values): void {
  if (orders !== undefined && manifest === undefined) {
    throw new InputError('--orders needs the --manifest that they are for');
  }
  if (item !== undefined && !/^\d{9}$/.test(item)) {
    throw new InputError(`--item needs a qlid of nine digits, got ${JSON.stringify(item)}`);
  }
  if (streams !== undefined && !distributed) throw new InputError('--streams needs --distributed');
  if (streams !== undefined && !/^[\w.:-]{1,100}$/.test(streams)) {
    throw new InputError(
      `--streams takes letters, digits, and any of . : - _, got ${JSON.stringify(streams)}`,
    );
  }
}

function commandOf(values: Values): Options['command'] {
  if (values.help) return 'help';
  const command = values.check ? 'check' : values.item === undefined ? 'run' : 'item';
  for (const option of ['fresh', 'distributed'] as const) {
    if (command !== 'run' && values[option])
      throw new InputError(`--${command} only looks; leave out --${option}`);
  }
  return command;
}

function ordersOf(values: Values, path: (given: string) => string): string | undefined {
  if (values.orders !== undefined) return path(values.orders);
  return values.manifest === undefined ? join(example, 'data', 'orders.csv') : undefined;
}
