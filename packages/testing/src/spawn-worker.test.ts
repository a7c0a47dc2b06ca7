import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';

import { spawnWorker, type WorkerOptions } from './spawn-worker.ts';

const workers = new URL('../test/workers/', import.meta.url);
const echo = (ending: string, options?: WorkerOptions) =>
  spawnWorker(new URL('echo.ts', workers), { ending }, options);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // nobody to send a signal to
  }
}

describe('a worker', () => {
  it('gives its lines and messages to whoever waits for them', async () => {
    await using worker = echo('end', { env: { WORKER_TEST: 'passed on' } });

    expect(await worker.line(/^env/)).toBe('env passed on');
    expect(await worker.line(/first/)).toBe('first line');
    expect(await worker.message('clock')).toMatchObject({ epoch: 0 });
    await worker.finished();
    expect(worker.running).toBe(false);
    expect(worker.stderr).toContain('a complaint');
  });

  it('dies of the signal that it is sent', async () => {
    await using worker = echo('wait');
    await worker.message('clock');

    await worker.kill();

    expect(await worker.exit).toEqual({ code: null, signal: 'SIGKILL' });
    expect(isAlive(worker.pid)).toBe(false);
  });

  it('is not taken for killed when it has ended by itself', async () => {
    await using worker = echo('end');
    await worker.finished();

    await expect(worker.kill()).rejects.toThrow(/should have been killed by SIGKILL: exit code 0/);
  });

  it('is not taken for killed by another signal than the one that ended it', async () => {
    await using worker = echo('die');

    await expect(worker.killed('SIGTERM')).rejects.toThrow('killed by SIGKILL');
    await worker.killed('SIGKILL');
  });

  it('is not taken for finished when it failed, and its last words are shown', async () => {
    await using worker = echo('fail');

    await expect(worker.finished()).rejects.toThrow(/exit code 3; it said\s+a complaint/);
  });

  it('is killed when it does not end in time', async () => {
    await using worker = echo('wait');
    await worker.message('clock');

    await expect(worker.finished(1)).rejects.toThrow(/was still running after 1 ms/);
    expect(worker.running).toBe(false);
  });

  it('tells who waits for it that it has ended', async () => {
    await using worker = echo('end');

    await expect(worker.message('never')).rejects.toThrow(/has ended: exit code 0/);
    await expect(worker.line(/never/)).rejects.toThrow(/has ended: exit code 0/);
  });

  it('has a clock of its own that can be wrong', async () => {
    const hourMs = 3_600_000;
    await using ahead = echo('end', { clockShiftMs: hourMs });
    await using behind = echo('end', { clockShiftMs: -hourMs });
    const [fast, slow] = await Promise.all(
      [ahead, behind].map((worker) => worker.message<{ now: number; made: number }>('clock')),
    );

    expect(Math.round((fast!.now - Date.now()) / hourMs)).toBe(1);
    expect(Math.round((fast!.made - Date.now()) / hourMs)).toBe(1);
    expect(Math.round((slow!.now - Date.now()) / hourMs)).toBe(-1);
    expect(fast).toMatchObject({ epoch: 0 });
  });

  it('is gone when it goes out of scope', async () => {
    let pid = 0;
    {
      await using worker = echo('wait');
      pid = worker.pid;
    }

    expect(isAlive(pid)).toBe(false);
  });

  it('does not outlive a parent that was killed', async () => {
    await using parent = spawnWorker(new URL('parent-of-worker.ts', workers));
    const { pid } = await parent.message<{ pid: number }>('grandchild');

    await parent.kill();

    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 10_000);
  });

  it('can be stopped and go on', async () => {
    const folder = await mkdtemp(`${tmpdir()}/worker-test-`);
    const file = `${folder}/dots`;
    const dots = async () => (await readFile(file, 'utf8').catch(() => '')).length;
    {
      await using worker = spawnWorker(new URL('echo.ts', workers), { ending: 'stay', file });
      await vi.waitFor(async () => expect(await dots()).toBeGreaterThan(0), 10_000);

      worker.signal('SIGSTOP');
      await sleep(50);
      const stoppedAt = await dots();
      await sleep(50);
      expect(await dots()).toBe(stoppedAt);

      worker.signal('SIGCONT');
      await vi.waitFor(async () => expect(await dots()).toBeGreaterThan(stoppedAt), 10_000);
      worker.signal('SIGTERM');
      await worker.finished();
    }
    await rm(folder, { recursive: true });
  });
});
