import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const main = join(import.meta.dirname, 'main.ts');

describe('the arguments of npm run services', () => {
  it.for<[string[], string]>([
    [['--redis', '9'], 'No such Redis: 9. There is: 7.0, 6.2, 8.0, valkey.'],
    [['--redis', 'toString'], 'No such Redis: toString.'],
    [['--kafka'], "Unknown option '--kafka'"],
  ])('%j are refused in one line', ([args, message]) => {
    const options = { encoding: 'utf8', timeout: 15_000 } as const; // else a run that is not refused goes on
    const { status, stderr } = spawnSync(process.execPath, [main, ...args], options);

    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(message)]);
    expect(status).toBe(2);
  });
});
