import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTestDatabase, hasPostgres } from '../../../scripts/services/test-database.ts';
import { readOutcome } from './outcome.ts';
import { runProcess } from './run-process.ts';
import { writeSmallInput } from './small-input.ts';

const patienceMs = 240_000;

describe('npm start with DATABASE_URL', () => {
  it.skipIf(!hasPostgres())(
    'ends on a server, killed in the middle, as it does embedded',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'waybill-main-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      const { url, drop } = await createTestDatabase();
      onTestFinished(drop);
      const { manifest, orders } = await writeSmallInput(folder);
      const server = { DATABASE_URL: url };
      const files = ['--manifest', manifest, '--orders', orders];
      const dataFolder = join(folder, 'server');

      const killed = await runProcess(
        'test/dying-run.ts',
        [dataFolder, manifest, orders, '400'],
        server,
      );
      const resumed = await runProcess('src/main.ts', ['--data', dataFolder, ...files], server);
      const embedded = await runProcess('src/main.ts', [
        '--data',
        join(folder, 'embedded'),
        ...files,
      ]);

      expect(killed).toMatchObject({ code: null, signal: 'SIGKILL' });
      expect(resumed).toMatchObject({ code: 0 });
      expect(embedded).toMatchObject({ code: 0 });
      expect(resumed.stdout).toContain('schema warehouse of');
      expect(await readOutcome({ dataFolder, url })).toEqual(
        await readOutcome({ dataFolder: join(folder, 'embedded') }),
      );
    },
    patienceMs,
  );
});
