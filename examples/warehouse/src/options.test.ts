import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from './input/input-error.ts';
import { readOptions } from './options.ts';

const folders = { person: '/home/ann', process: '/checkout' };
const read = (...args: string[]) => readOptions(args, folders);

describe('readOptions', () => {
  it('runs the goods and orders that ship, into a folder of the checkout', () => {
    const example = join(import.meta.dirname, '..');

    expect(read()).toEqual({
      command: 'run',
      manifest: join(example, 'data', 'manifest.csv'),
      orders: join(example, 'data', 'orders.csv'),
      seed: 'waybill',
      dataFolder: '/checkout/.data/warehouse',
      fresh: false,
      streams: undefined,
      qlid: '',
      dataOption: '',
    });
  });

  it('takes paths from the folder that the person is in', () => {
    expect(read('--manifest', 'my.csv', '--orders', '/tmp/o.csv', '--data=./mine')).toMatchObject({
      manifest: '/home/ann/my.csv',
      orders: '/tmp/o.csv',
      dataFolder: '/home/ann/mine',
      dataOption: ' --data ./mine',
    });
  });

  it('does not order the shipped goods from a manifest of one’s own', () => {
    expect(read('--manifest', 'my.csv').orders).toBeUndefined();
  });

  it('goes over Redis only when it is asked to', () => {
    expect(read('--distributed').streams).toBe('quickwms:events:');
    expect(read('--distributed', '--streams', 'mine.2:').streams).toBe('mine.2:');
  });

  it.each([
    [['--check'], 'check'],
    [['--item', '123456789'], 'item'],
    [['--help'], 'help'],
    [['-h', '--check'], 'help'],
  ])('reads %j as %s', (args, command) => {
    expect(read(...args).command).toBe(command);
  });

  it.each([
    [['--frehs'], "Unknown option '--frehs'"],
    [['my.csv'], "Unexpected argument 'my.csv'"],
    [['--seed'], '--seed <value>'],
  ])('names what is wrong with %j, and prints the help', (args, message) => {
    expect(() => read(...args)).toThrow(message);
    expect(() => read(...args)).toThrow('--manifest <file>');
  });

  it.each([
    [['--orders', 'o.csv'], 'needs the --manifest'],
    [['--item', '12'], 'nine digits'],
    [['--check', '--fresh'], '--check only looks'],
    [['--item', '123456789', '--distributed'], '--item only looks'],
    [['--streams', 'mine:'], 'needs --distributed'],
    [['--distributed', '--streams', 'mine*'], 'letters, digits'],
    [['--distributed', '--streams', ''], 'letters, digits'],
  ])('refuses %j', (args, message) => {
    expect(() => read(...args)).toThrow(InputError);
    expect(() => read(...args)).toThrow(message);
  });
});
