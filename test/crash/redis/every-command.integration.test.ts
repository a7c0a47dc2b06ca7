import { setTimeout as sleep } from 'node:timers/promises';

import { crashingRedisClient } from '@waybill/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  canStartRedis,
  hasRedis,
  startTestRedis,
  type TestRedis,
} from '../../../scripts/services/test-redis.ts';
import { waitUntil } from '../../../scripts/wait-until.ts';
import { copiesOf } from './support/copies-of.ts';
import { FaultPoints, type PlannedFault } from './support/fault-points.ts';
import { draftIn, publishStubbornly } from './support/load.ts';
import { isWithin } from './support/lost-ranges.ts';
import { StreamRig } from './support/stream-rig.ts';

const events = 6;
const maxInFlight = 3;
/** Worlds at the same time, each in a database of its own. */
const lanes = 6;

/** What a fault does to one world. */
interface World {
  readonly rig: StreamRig;
  /** Breaks every connection of the service under test. */
  readonly cut: () => void;
}

interface Fault {
  readonly moment: PlannedFault['moment'];
  readonly strike: (world: World) => Promise<unknown>;
  /** True if what is in the stream is lost with it; that must be said, and nothing more. */
  readonly isLossy?: boolean;
}

const faults: Record<string, Fault> = {
  'the database is emptied': {
    moment: 'before',
    strike: ({ rig }) => rig.admin.flushdb(),
    isLossy: true,
  },
  'the stream is deleted': {
    moment: 'before',
    strike: ({ rig }) => rig.admin.del(rig.stream),
    isLossy: true,
  },
  'the group is destroyed': {
    moment: 'before',
    strike: async ({ rig }) => {
      if (await rig.admin.exists(rig.stream)) {
        await rig.admin.xgroup('DESTROY', rig.stream, 'stock');
      }
    },
  },
  'the scripts are forgotten': {
    moment: 'before',
    strike: ({ rig }) => rig.admin.script('FLUSH'),
  },
  'the connections break': {
    moment: 'before',
    strike: async ({ cut }) => cut(),
  },
  'the answer gets lost': {
    moment: 'after',
    strike: async ({ cut }) => {
      cut();
      throw new Error('Connection is closed.');
    },
  },
};

describe.skipIf(!hasRedis() || !(await canStartRedis()))(
  'a consumer of a stream lives on, loses nothing and leaves nothing',
  () => {
    let redis: TestRedis;
    beforeAll(async () => {
      redis = await startTestRedis();
    });
    afterAll(() => redis?.stop());

    /** Publishes and consumes in an empty database. @returns The commands of the consumer. */
    async function consume(db: number, fault?: Fault, point = ''): Promise<readonly string[]> {
      const url = `${redis.url}/${db}`;
      const { client, cut } = cuttable(url);
      let world!: World;
      const strike = async (): Promise<void> => void (await fault?.strike(world));
      const plan = fault && { point, moment: fault.moment, strike };
      const points = new FaultPoints(plan);
      await using rig = new StreamRig(url, crashingRedisClient(client, points, everyCommand));
      world = { rig, cut };
      const bus = rig.bus('stock', { claimMs: 100, reclaimEveryMs: 10, blockMs: 30 });
      const choices = { maxInFlight, redrivePollMs: 50 };
      const group = rig.group(bus, 'stock', choices, () => sleep(10 * Math.random()));
      const publisher = rig.publisher(rig.bus('dock', { redis: url }));
      const publish = async (number: number): Promise<void> => {
        const draft = draftIn(`item-${number % 2}`, number);
        await publishStubbornly(publisher, draft);
        const { subject: key, data } = draft;
        rig.entries.push({ kind: 'published', eventId: draft.id, key, ...data });
      };
      await rig.started(group); // at the next try if the fault has struck
      for (let number = 1; number <= events; number += 1) {
        await publish(number);
        await sleep(10);
      }
      await sleep(120); // until there was a heartbeat, and consumers were cleared up
      let last = events + 1;
      await publish(last);
      await waitUntil('the last event is handled', async () => {
        // The fault may take it from the stream before it was read; then the next one has to do.
        const isGone = fault?.isLossy && (await rig.admin.xlen(rig.stream)) === 0;
        if (isGone) await publish((last += 1));
        return rig.ids('handled', 'stock').has(draftIn(`item-${last % 2}`, last).id);
      });
      await rig.settledBy('stock');
      if (fault?.isLossy) expectLossToBeNamed(rig);
      else await rig.handledBy('stock');
      const dropped = fault?.isLossy ? rig.missing('stock') : [];
      const { violations } = rig.verdict(
        { groups: ['stock'], maxDuplicates: events },
        dropped.map((eventId) => ({ kind: 'dropped', group: 'stock', eventId })),
      );
      expect(violations).toEqual([]);
      await waitUntil('the group is well', () => group.health().status === 'ok');
      return points.names;
    }

    it.for(Object.keys(faults))('although %s before any of its commands', async (name) => {
      const recorded = await consume(0);
      // Of commands that are repeated, the first two times.
      const waiting = recorded.filter((point) => !/#(?:[3-9]|\d\d)/.test(point));
      const points = waiting.length;
      const work = Array.from({ length: lanes }, async (_, lane) => {
        for (let point = waiting.shift(); point; point = waiting.shift()) {
          await consume(lane + 1, faults[name], point).catch((error: unknown) => {
            throw new Error(`${point}: ${String(error)}`, { cause: error });
          });
        }
      });
      await Promise.all(work);
      expect(points).toBeGreaterThan(15);
    });
  },
);

const everyCommand = { isPoint: () => true };

/** A client that is made to lose all the connections that were made from it. */
function cuttable(url: string): { client: Redis; cut: () => void } {
  const client = new Redis(url, { lazyConnect: true });
  const made = copiesOf(client);
  return {
    client,
    cut() {
      for (const { stream } of made) stream?.destroy();
    },
  };
}

/** What is missing was in the stream when it went, and somebody has said so. */
function expectLossToBeNamed(rig: StreamRig): void {
  const ranges = rig.observed('lost');
  const missing = rig.missing('stock');
  expect(missing.filter((id) => !isWithin(rig.positions.get(id)!, ranges))).toEqual([]);
}
