import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, waitUntil } from '../wait-until.ts';
import { startGuarded, type GuardedCommand, type GuardOrder } from './guarded-process.ts';

describe('a guarded process', () => {
  let outside: string;
  let pidFile: string;
  let order: GuardOrder;

  const node = (code: string): GuardedCommand => [process.execPath, '-e', code];
  const writePid = () =>
    `require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid))`;
  const serverPid = async () => {
    const read = () => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0);
    await waitUntil('the server wrote its pid', () => read() > 0);
    return read();
  };

  beforeEach(async () => {
    outside = await mkdtemp(join(tmpdir(), 'guarded-process-test-'));
    pidFile = join(outside, 'pid');
    order = {
      commands: [node(`${writePid()}; setInterval(() => {}, 1000)`)],
      folder: await mkdtemp(join(tmpdir(), 'guarded-process-')),
      stopSignal: 'SIGINT',
    };
  });
  afterEach(() => rm(outside, { recursive: true }));

  it('stops when asked and leaves no folder', async () => {
    const guarded = startGuarded(order);
    const pid = await serverPid();

    await guarded.stop();

    expect(isAlive(pid)).toBe(false);
    expect(existsSync(order.folder)).toBe(false);
  });

  it('stops when the script that wanted it is killed with SIGKILL', async () => {
    const module = JSON.stringify(join(import.meta.dirname, 'guarded-process.ts'));
    const code = `const { startGuarded } = await import(${module}); startGuarded(${JSON.stringify(order)})`;
    const script = spawn(process.execPath, ['--input-type=module', '-e', code]);
    const pid = await serverPid();

    script.kill('SIGKILL');
    const [, signal] = await once(script, 'exit');

    expect(signal).toBe('SIGKILL');
    await waitUntil('the server is gone', () => !isAlive(pid));
    await waitUntil('its folder is gone', () => !existsSync(order.folder));
  });

  it('reports the last words of a server that goes away by itself', async () => {
    const guarded = startGuarded({
      ...order,
      commands: [node('console.error("out of luck"); process.exit(3)')],
    });

    expect(await guarded.exited).toContain('out of luck');
    expect(existsSync(order.folder)).toBe(false);
  });

  it('does not start the server when a command before it failed', async () => {
    const guarded = startGuarded({
      ...order,
      commands: [node('process.exit(1)'), ...order.commands],
    });

    await guarded.exited;

    expect(existsSync(pidFile)).toBe(false);
  });

  it('reports a command that cannot be run at all', async () => {
    const guarded = startGuarded({ ...order, commands: [['/no/such/server']] });

    expect(await guarded.exited).toContain('/no/such/server');
  });
});
