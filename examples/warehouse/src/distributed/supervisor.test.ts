import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Supervisor } from './supervisor.ts';
import { StartFailure, type Patience, type Program } from './watched-process.ts';

const file = join(import.meta.dirname, '..', '..', 'test', 'dying-program.ts');
const patience: Patience = {
  firstDelayMs: 10,
  longestDelayMs: 20,
  steadyAfterMs: 60_000,
  maxFailedStarts: 3,
  stopMs: 100,
};
const waiting = { timeout: 15_000, interval: 20 };

const program = (name: string, ...args: string[]): Program => ({ name, file, args });

describe('a supervisor', () => {
  let said: string[] = [];
  let supervisor: Supervisor;
  afterEach(() => supervisor.kill());

  function supervise(...programs: Program[]): Supervisor {
    said = [];
    const say = (line: string) => void said.push(line);
    supervisor = new Supervisor({ programs, say, patience });
    return supervisor;
  }
  const ready = () => vi.waitFor(() => expect(supervisor.areAllJoined).toBe(true), waiting);

  it('starts all processes, knows how many are up, and stops them in order', async () => {
    supervise(program('one'), program('other'));
    expect(supervisor).toMatchObject({ up: 0, areAllJoined: false });
    await ready();
    expect(supervisor.up).toBe(2);

    await supervisor.stop();
    expect(supervisor).toMatchObject({ up: 0, restarts: 0 });
    expect(said).toEqual([]);
  });

  it('starts a process again that dies, and says so', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'waybill-supervisor-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    supervise(program('quickgradez', 'dies once', join(folder, 'died')));

    await vi.waitFor(() => expect(supervisor).toMatchObject({ restarts: 1, up: 1 }), waiting);
    expect(said).toEqual(['quickgradez was ended by SIGKILL, and is started again']);
    await supervisor.stop();
  });

  it('gives up what cannot be started, with its name and last words', async () => {
    supervise(program('quickgradez', 'fails'), program('other'));

    await expect(supervisor.failure).rejects.toThrow(StartFailure);
    await expect(supervisor.failure).rejects.toThrow(
      'quickgradez ended with exit code 3, 3 times in a row before it was ready. Its last words:\nthe door is locked',
    );
    const again = 'quickgradez ended with exit code 3 (the door is locked), and is started again';
    expect(said).toEqual([again, again]);
    expect(supervisor.restarts).toBe(2);
    await supervisor.stop();
  });

  it('says what was lost once, whoever saw it', async () => {
    supervise(program('one', 'loses'), program('other', 'loses'));
    await ready();

    expect(supervisor.losses).toBe(1);
    expect(said).toEqual(['a parcel']);
    await supervisor.stop();
  });

  it('ends a process that does not stop in time', async () => {
    supervise(program('stubborn', 'does not obey'));
    await ready();

    await supervisor.stop();
    expect(supervisor.up).toBe(0);
  });

  it('ends all processes at once when it is told to', async () => {
    supervise(program('stubborn', 'does not obey'), program('other'));
    await ready();

    supervisor.kill();
    await vi.waitFor(() => expect(supervisor.up).toBe(0), waiting);
    expect(said).toEqual([]);
  });
});
