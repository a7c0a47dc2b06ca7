import { setTimeout as sleep } from 'node:timers/promises';

import { spawnWorker } from '@waybill/testing';
import type { LedgerEntry } from '@waybill/testing';
import { describe, expect, it } from 'vitest';

import { hasRedis, redisUrl } from '../../../scripts/services/test-redis.ts';
import { waitUntil } from '../../../scripts/wait-until.ts';
import { draftIn, Load } from './support/load.ts';
import { StreamRig } from './support/stream-rig.ts';
import type { ShortLivedArgs } from './workers/short-lived.ts';

const maxInFlight = 20;
const load = { keys: 4, pauseMs: 1 };
const maxStreamLength = 50;

describe.skipIf(!hasRedis())('a stream that is trimmed under load', { concurrent: true }, () => {
  it('keeps what the slowest group has not settled, and names that group once', async () => {
    await using rig = new StreamRig(redisUrl());
    const idle = rig.group(rig.bus('idle'), 'idle', { maxInFlight });
    await idle.start();
    await idle.stop();
    const fast = rig.bus('fast', { maxStreamLength });
    await rig.group(fast, 'fast', { maxInFlight }).start();
    const publishing = new Load(rig, rig.publisher(rig.bus('dock')), load);
    await waitUntil('the stream is far too long', async () => {
      return (await rig.admin.xlen(rig.stream)) > 10 * maxStreamLength;
    });
    await waitUntil('somebody is named', () => rig.warnings('TRIM_HELD_BACK').length > 0);
    await sleep(500); // many looks, and nothing is said again
    await publishing.stop();
    expect(rig.warnings('TRIM_HELD_BACK')).toEqual([
      expect.stringContaining(`XGROUP DESTROY ${rig.stream} idle`),
    ]);
    expect(await rig.admin.xlen(rig.stream)).toBe(rig.ids('published').size);

    await rig.group(rig.bus('late'), 'idle', { maxInFlight }).start();
    await rig.handledBy('idle');
    await rig.handledBy('fast');
    await waitUntil('the stream is short again', async () => {
      return (await rig.admin.xlen(rig.stream)) <= maxStreamLength;
    });
    const { violations } = rig.verdict({ groups: ['idle', 'fast'], maxDuplicates: 0 });
    expect(violations).toEqual([]);
    expect(rig.observed('lost')).toEqual([]);
  });

  it('loses beyond a cap exactly what is named, in hand of the dead or not read by anybody', async () => {
    await using rig = new StreamRig(redisUrl());
    const cap = { lossyMaxStreamLength: 100 };
    const away = rig.group(rig.bus('away'), 'away');
    await away.start();
    await away.stop();
    const [redis, prefix, names] = [redisUrl(), rig.prefix, ['doomed-1', 'doomed-2']];
    // Whoever is later to look waits until the first one has proved to be alive, which is a claim's time.
    const args: ShortLivedArgs = { redisUrl: redis, prefix, claimMs: 5_000, names };
    await using doomed = spawnWorker(new URL('workers/short-lived.ts', import.meta.url), args);
    const holding = doomed.message('holding');
    // Two processes trim, and each loss is one process's to tell.
    await rig.bus('second', cap).connect();
    const dock = rig.bus('dock', cap);
    const publisher = rig.publisher(dock);
    for (let number = 1; number <= 400; number += 1) {
      const draft = draftIn(`item-${number}`, 1);
      await publisher.publish(draft);
      rig.entries.push({ kind: 'published', eventId: draft.id });
      if (number === 20) {
        await holding;
        await doomed.kill();
        expect([...(await rig.holders('stock')).keys()].toSorted()).toEqual(names);
      }
    }
    await waitUntil('the stream is at its cap', async () => {
      return (await rig.admin.xlen(rig.stream)) === 100;
    });
    // Entries go before those who have dropped them hear which ones.
    await waitUntil('every loss is named', () => {
      return rig.observed('lost').filter(({ group }) => group === 'away').length === 300;
    });
    await dock.shutdown();

    const groups = ['away', 'stock'];
    for (const name of groups) await rig.group(rig.bus(name), name, { maxInFlight }).start();
    for (const name of groups) {
      await waitUntil(`${name} has handled what is left`, async () => {
        return (await rig.backlog(name)) === 0;
      });
    }
    const lost = rig.observed('lost');
    for (const name of groups) {
      const ids = lost.filter(({ group }) => group === name).map(({ eventId }) => eventId);
      expect(ids.toSorted(), name).toEqual(rig.missing(name).toSorted());
    }
    expect(new Set(lost.map(({ reason }) => reason))).toEqual(new Set(['dropped']));
    expect(new Set(lost.map(({ eventType }) => eventType))).toEqual(new Set(['item.received']));
    const dropped = lost.map(({ eventId = '', group }): LedgerEntry => {
      return { kind: 'dropped', group, eventId };
    });
    expect(rig.verdict({ groups, maxDuplicates: 0 }, dropped).violations).toEqual([]);
  });

  it('loses nothing unnamed from a consumer that is too slow for its cap', async () => {
    await using rig = new StreamRig(redisUrl());
    const bus = rig.bus('stock', { lossyMaxStreamLength: maxStreamLength });
    const slow = { concurrency: 1, maxInFlight };
    await rig.group(bus, 'stock', slow, () => sleep(5)).start();
    const publishing = new Load(rig, rig.publisher(rig.bus('dock')), load);
    const isNamed = (id: string): boolean =>
      rig.observed('lost').some(({ eventId }) => eventId === id);
    await sleep(1_500);
    // What is in hand may still be handled, and the rest not any more.
    await waitUntil('more is lost than is in hand', () => {
      return rig.missing('stock').filter(isNamed).length > maxInFlight;
    });
    await publishing.stop();
    await waitUntil('what is left is handled', async () => {
      return (await rig.backlog('stock')) === 0;
    });
    await waitUntil('every loss is named', () => rig.missing('stock').every(isNamed));

    const lost = rig.observed('lost');
    const named = new Set(lost.map(({ eventId }) => eventId));
    expect(lost, 'each is named once').toHaveLength(named.size);
    const missing = rig.missing('stock');
    expect(missing.length).toBeGreaterThan(0);
    // More may be named: what was in hand when it was dropped is handled all the same if that is quick.
    expect(missing.filter((id) => !named.has(id))).toEqual([]);
  });
});
