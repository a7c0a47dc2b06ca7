import { ManualClock } from '@waybill/core/memory';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { dayMs, PruningGroup, record, untilRecorded, waiting } from '../../test/prune-bench.ts';
import { describePruning } from '../../test/prune-cases.ts';
import { watchedClient, type Watch } from '../../test/watched-client.ts';
import { openPglite } from '../client/pglite-client.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { migrate } from '../migrate/migrate.ts';

/** A busy machine takes long to start an embedded database. */
const embeddedStartMs = 60_000;
const minuteMs = 60_000;
let client: SqlClient;
beforeAll(async () => {
  client = await openPglite({ memory: true });
  await migrate(client);
}, embeddedStartMs);
afterAll(() => client.close());

describePruning('an embedded database', () => client);

/** Notes how long it is slept for, leaving out what a group sleeps for beside. */
class NotingClock extends ManualClock {
  readonly pauses: number[] = [];

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms >= 10_000) this.pauses.push(ms);
    return super.sleep(ms, signal);
  }
}

describe('the time of pruning', () => {
  let clock: NotingClock;
  let group: PruningGroup | undefined;
  beforeEach(async () => {
    clock = new NotingClock();
    await client.query('TRUNCATE inbox, event_dlq, event_handover, idempotency_keys');
  });
  afterEach(() => group?.stop());

  async function start(random: number, watch: Watch = (_, run) => run()): Promise<void> {
    group = await PruningGroup.start(
      watchedClient(client, watch),
      { everyMs: 60 * minuteMs },
      { clock, random: () => random, redrivePollMs: 5_000, registryEveryMs: 5_000 },
    );
  }

  /** Waits until a pass is over, which begins a pause, and lets that pass. */
  async function paused(...pauses: number[]): Promise<void> {
    await vi.waitFor(() => expect(clock.pauses).toEqual(pauses), waiting);
    await clock.advance(pauses.at(-1)!);
  }

  it.each([
    [0.25, 15, 57],
    [0.5, 30, 60],
    [0.75, 45, 63],
  ])('is %d of an hour after the start, and then about every hour', async (random, first, next) => {
    await start(random);
    await record(client, ['old'], 31 * dayMs);
    await paused(first * minuteMs);
    await untilRecorded(client, []);
    await paused(first * minuteMs, next * minuteMs);
    await paused(first * minuteMs, next * minuteMs, next * minuteMs);
    expect(group!.count('inbox')).toBe(1);
  });

  it('comes again soon after a failure, and at longer intervals while that lasts', async () => {
    let failing = true;
    await start(0, async (text, run) => {
      if (failing && /DELETE FROM .*inbox/.test(text)) throw new Error('the disk is full');
      return await run();
    });
    await record(client, ['old'], 31 * dayMs);
    await clock.advance(0);
    await paused(10_000);
    await paused(10_000, 20_000);
    failing = false;
    await paused(10_000, 20_000, 40_000);
    await untilRecorded(client, []);
    await vi.waitFor(() => expect(clock.pauses.at(-1)).toBe(54 * minuteMs), waiting);
    expect(group!.observed.filter(({ kind }) => kind === 'prune-failed')).toHaveLength(3);
  });

  it('does not pass in silence where the database does not answer', async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    await start(0, async (text, run) => {
      if (/DELETE FROM .*inbox/.test(text)) {
        ask();
        await answered;
      }
      return await run();
    });
    await clock.advance(0);
    await asked;
    await clock.advance(2 * minuteMs);
    expect(group!.observed).toContainEqual({
      kind: 'prune-failed',
      what: 'inbox',
      group: 'billing',
      error: expect.objectContaining({ message: expect.stringContaining('has not answered') }),
    });
    expect(group!.subscriber.health().reasons).toEqual([
      expect.stringContaining('the pruner of billing does not get on'),
    ]);
    answer();
    await paused(10_000);
    await vi.waitFor(() => expect(group!.subscriber.health().status).toBe('ok'), waiting);
  });
});
