import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../src/open-database.ts';
import { readOutcome } from './outcome.ts';
import { runProcess, type Ended } from './run-process.ts';
import { writeSmallInput, type InputFiles } from './small-input.ts';

/** Each of these starts processes that run a small warehouse to its end. */
const patienceMs = 240_000;

let folder: string;
let files: InputFiles;
let dataFolder: string;
let ended: Ended;

const optionsFor = (data: string) => [
  '--data',
  data,
  '--manifest',
  files.manifest,
  '--orders',
  files.orders,
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-main-'));
  files = await writeSmallInput(folder);
  dataFolder = join(folder, 'undisturbed');
  ended = await runProcess('src/main.ts', optionsFor(dataFolder));
}, patienceMs);
afterAll(async () => rm(folder, { recursive: true, force: true }));

describe('npm start', () => {
  it('runs to the end and proves that nothing was lost', () => {
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(ended.stdout).toContain('✓ Conserved');
    expect(ended.stdout).toContain('No dead letters.');
    expect(ended.stdout).toMatch(/item\.received +quickintakez/);
  });

  it('names the lines that it could not use, in a file and in the summary', async () => {
    const rejects = await readFile(join(dataFolder, 'rejects.csv'), 'utf8');
    expect(rejects).toMatch(/^file,line,field,reason\nmanifest\.csv,\d+,Unit Retail,"must be/);
    expect(ended.stdout).toContain(`1 line not used: ${join(dataFolder, 'rejects.csv')}`);
  });

  it(
    'goes on after kill -9, again and again, and ends as if nothing had happened',
    async () => {
      const killedFolder = join(folder, 'killed');
      for (const transactions of ['30', '250', '500']) {
        const killed = await runProcess('test/dying-run.ts', [
          killedFolder,
          files.manifest,
          files.orders,
          transactions,
        ]);
        expect(killed).toMatchObject({ code: null, signal: 'SIGKILL' });
      }
      const resumed = await runProcess('src/main.ts', optionsFor(killedFolder));

      expect(resumed).toMatchObject({ code: 0 });
      expect(resumed.stderr).toContain('Going on with a run that was interrupted');
      expect(await readOutcome({ dataFolder: killedFolder })).toEqual(
        await readOutcome({ dataFolder }),
      );
    },
    patienceMs,
  );

  it.each([
    ['SIGINT', { code: 130, signal: null }, 'Interrupted. Start again to go on from here.'],
    ['SIGKILL', { code: null, signal: 'SIGKILL' }, ''],
  ] as const)(
    'is ended by %s in the middle of the goods that ship',
    async (signal, end, said) => {
      const interrupt = { once: /units received/, signal };
      const args = ['--data', join(folder, signal)];

      const stopped = await runProcess('src/main.ts', args, {}, interrupt);

      expect(stopped).toMatchObject({ ...end, stdout: '' });
      expect(stopped.stderr).toContain(said);
    },
    patienceMs,
  );

  it(
    'does nothing when the run is finished, and tells the same again',
    async () => {
      const before = await readOutcome({ dataFolder });

      const again = await runProcess('src/main.ts', optionsFor(dataFolder));

      expect(again).toMatchObject({ code: 0 });
      expect(again.stderr).toContain('This run was finished at');
      expect(again.stdout).toContain('✓ Conserved');
      expect(await readOutcome({ dataFolder })).toEqual(before);
    },
    patienceMs,
  );

  it(
    'refuses to mix two seeds or two manifests in one folder',
    async () => {
      const otherSeed = await runProcess('src/main.ts', [
        ...optionsFor(dataFolder),
        '--seed',
        'other',
      ]);
      const otherInput = await runProcess('src/main.ts', ['--data', dataFolder]);

      expect(otherSeed).toMatchObject({ code: 2, stdout: '' });
      expect(otherSeed.stderr).toContain('there is a run with seed waybill, not other');
      expect(otherInput).toMatchObject({ code: 2, stdout: '' });
      expect(otherInput.stderr).toContain('--fresh');
    },
    patienceMs,
  );

  it(
    'drops nothing for --fresh when the input cannot be read',
    async () => {
      const missing = ['--data', dataFolder, '--fresh', '--manifest', join(folder, 'nowhere.csv')];

      expect(await runProcess('src/main.ts', missing)).toMatchObject({ code: 2, stdout: '' });
      const checked = await runProcess('src/main.ts', ['--data', dataFolder, '--check']);
      expect(checked).toMatchObject({ code: 0 });
    },
    patienceMs,
  );

  it(
    'tells the life of a unit, and says so when there is none',
    async () => {
      const qlid = /unit (\d{9})/.exec(ended.stdout)?.[1] ?? '';
      const found = await runProcess('src/main.ts', ['--data', dataFolder, '--item', qlid]);
      const missing = await runProcess('src/main.ts', [
        '--data',
        dataFolder,
        '--item',
        '000000000',
      ]);

      expect(found).toMatchObject({ code: 0 });
      expect(found.stdout).toMatch(/order\.delivered +quickfulfillment/);
      expect(missing).toMatchObject({ code: 2, stderr: 'there is no unit 000000000\n' });
    },
    patienceMs,
  );

  it(
    'says what is broken with --check, and fails',
    async () => {
      expect(await runProcess('src/main.ts', ['--data', dataFolder, '--check'])).toMatchObject({
        code: 0,
      });
      const { database } = await openDatabase({ dataFolder });
      await database.query(
        'DELETE FROM quickloadz_shipment WHERE shipment_id = (SELECT min(shipment_id) FROM quickloadz_shipment)',
      );
      await database.close();

      const checked = await runProcess('src/main.ts', ['--data', dataFolder, '--check']);

      expect(checked).toMatchObject({ code: 1 });
      expect(checked.stdout).toMatch(/✗ Not conserved, 1 thing .*\n.*quickloadz_shipment lacks 1/);
    },
    patienceMs,
  );
});
