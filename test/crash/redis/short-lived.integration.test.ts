import { spawnWorker } from '@waybill/testing';
import { describe, expect, it } from 'vitest';

import { hasRedis, redisUrl } from '../../../scripts/services/test-redis.ts';
import { waitUntil } from '../../../scripts/wait-until.ts';
import { draftIn } from './support/load.ts';
import { StreamRig } from './support/stream-rig.ts';
import type { ShortLivedArgs } from './workers/short-lived.ts';

const rounds = 5;
const consumersPerRound = 40;
const events = 500;
const claimMs = 800;

describe.skipIf(!hasRedis())('200 consumers that are killed with something in hand', () => {
  it('lose nothing of it, and are forgotten', async () => {
    await using rig = new StreamRig(redisUrl());
    const publisher = rig.publisher(rig.bus('dock'));
    for (let number = 1; number <= events; number += 1) {
      const draft = draftIn(`item-${number}`, 1);
      await publisher.publish(draft);
      rig.entries.push({ kind: 'published', eventId: draft.id });
    }
    const held = new Set<string>();
    for (let round = 0; round < rounds; round += 1) {
      // A process for each would take minutes; these share five, and have connections of their own.
      const names = Array.from({ length: consumersPerRound }, (_, index) => `${round}-${index}`);
      const args: ShortLivedArgs = { redisUrl: redisUrl(), prefix: rig.prefix, claimMs, names };
      await using doomed = spawnWorker(new URL('workers/short-lived.ts', import.meta.url), args);
      await doomed.message('holding');
      // On a busy machine one of them may have lost what it had to another one, and gets the next.
      await waitUntil('each has something in hand', async () => {
        const holders = await rig.holders('stock');
        if (!names.every((name) => holders.has(name))) return false;
        for (const name of names) held.add(name);
        return true;
      });
      await doomed.kill('SIGKILL');
    }
    expect(held.size).toBe(rounds * consumersPerRound);

    const bus = rig.bus('stock', { claimMs, forgetConsumerMs: 500 });
    const survivor = rig.group(bus, 'stock', { maxDeliveries: 1_000, worker: 'survivor' });
    await survivor.start();
    await rig.handledBy('stock');
    await rig.settledBy('stock');

    const { violations, summary } = rig.verdict({ groups: ['stock'], maxDuplicates: 0 });
    expect(violations, summary).toEqual([]);
    expect(rig.observed('took-over').length).toBeGreaterThan(0);
    await waitUntil('all others are forgotten', async () => {
      return (await rig.consumers('stock')).join() === 'survivor';
    });
  });
});
