import type { WorkerProcess } from '@waybill/testing';
import { describe, expect, it } from 'vitest';

import { waitUntil } from '../../scripts/wait-until.ts';
import { deployModes } from './support/modes.ts';
import {
  DeployWorld,
  healthOf,
  idsOf,
  logLine,
  numbers,
  patienceMs,
} from './support/deploy-world.ts';
import { expectHandled } from './support/rolling-deploy.ts';

const received = { patterns: ['item.received'] };
const graded = { patterns: ['item.graded'], name: "the grader's" };
/** It may be said before all of them wait. */
const waiting =
  /\d+ events \(item\.graded\) of group stock wait for handler the grader's, .*service stock \(worker v2-\d+\) registered it, and was seen \d+ s ago/;

describe.each(deployModes())('a version that was rolled back on %s', (mode) => {
  it.each([
    ['log', true],
    ['standard error of a process without a logger', false],
  ])(
    'is named in the health and in the %s of the one that is left, until its handler is retired',
    async (_, logs) => {
      await using world = await DeployWorld.create(mode);
      const young = await world.start({ version: 'v2', handlers: [received, graded] });
      young.signal('SIGTERM');
      await young.finished(patienceMs);
      const old = await world.start({ version: 'v1', handlers: [received], logs });
      await world.publish(['item.received', 'item.graded'], numbers(1, 10));

      const { status, reasons } = await healthOf(old, (health) =>
        health.reasons.join().startsWith('10 events'),
      );
      expect(reasons.join()).toMatch(waiting);
      expect(status).toBe('degraded');
      const warning = await warningOf(old, logs);
      expect(warning).toMatch(waiting);
      expect((await world.waiting()).toSorted()).toEqual(
        idsOf('item.graded', numbers(1, 10)).toSorted(),
      );

      expect(await giveUp(world, warning)).toBe(10);
      await healthOf(old, (health) => health.status === 'ok');
      await world.publish(['item.received', 'item.graded'], numbers(11, 20));
      await waitUntil('everything is settled', () => world.isCaughtUp(), patienceMs);
      expectHandled(
        world,
        await world.effects(),
        'item.received',
        idsOf('item.received', numbers(1, 20)),
      );
      const statuses = await world.handovers();
      const skipped = idsOf('item.graded', numbers(1, 10));
      expect(skipped.map((id) => statuses.get(id))).toEqual(skipped.map(() => 'skipped'));
      expect([...statuses.values()]).not.toContain('waiting');
      expect(await world.deadLetters()).toEqual([]);
    },
  );
});

async function warningOf(old: WorkerProcess, logs: boolean): Promise<string> {
  if (logs) return await logLine(old, /^warn HANDLER_GONE /);
  const find = (): string | undefined =>
    /\[HANDLER_GONE\] WaybillWarning: .*/.exec(old.stderr)?.[0];
  await waitUntil('it is a warning of the process', () => find() !== undefined, patienceMs);
  return find()!;
}

/** Does what the warning says, by SQL where the log is. @returns How many were waiting. */
async function giveUp(world: DeployWorld, warning: string): Promise<number> {
  if (world.mode !== 'log') {
    expect(warning).toContain('retire({ handler: ');
    return await world.retire({ handler: "the grader's", by: 'ann', reason: 'rolled back' });
  }
  const [statement] = /SELECT retire_handler\(.*\)$/.exec(warning)!;
  const { rows } = await world.client.query<{ retire_handler: bigint }>(statement);
  return Number(rows[0]!.retire_handler);
}
