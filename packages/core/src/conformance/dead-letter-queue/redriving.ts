import assert from 'node:assert/strict';

import type {
  DeadLetterClaim,
  DeadLetterQueue,
  RedriveOutcome,
} from '../../consume/dead-letter-queue.ts';
import type { DeadLetterStatus } from '../../consume/dead-letter.ts';
import { isEventError } from '../../errors.ts';
import { onStore, type StoreBench, type StoreConformanceOptions } from '../store/store-bench.ts';
import type { TestApi } from '../test-api.ts';
import { assertSameMessage } from '../transport/assert-messages.ts';
import { awkwardMessages, failureOf, unreadable } from './failures.ts';

const long = 60_000;
const resolved: RedriveOutcome = { status: 'resolved' };
const failedAgain: RedriveOutcome = {
  status: 'pending',
  failureReason: 'still no',
  failureType: 'permanent',
  fingerprint: 'f-9',
  attempts: 2,
};
const isUnavailable = (error: unknown): boolean => isEventError(error, 'DEAD_LETTER_UNAVAILABLE');

/** An operator decides, and one worker of the failing group at a time acts on it. */
export function describeRedriving(
  options: StoreConformanceOptions<DeadLetterQueue>,
  { describe, it }: TestApi,
): void {
  const bench = onStore(options);

  describe('redriving', () => {
    it(
      'gives an entry to nobody before an operator asks for it',
      bench(async (b) => {
        await b.store.add(failureOf(b.event()));
        assert.deepEqual(await claim(b), []);
      }),
    );

    it(
      'gives an entry to the failing group alone, whole and once',
      bench(async (b) => {
        const event = b.event();
        const id = await b.store.add(failureOf(event));
        const other = await b.store.add(failureOf(event, { group: 'shipping' }));
        await b.store.redrive(id);
        assert.equal(await statusOf(b, id), 'processing');
        assert.deepEqual(await claim(b, { group: 'shipping' }), []);
        const claimed = await claimOne(b);
        assert.equal(claimed.deadLetter.id, id);
        assert.deepEqual(claimed.deadLetter.event, event);
        assert.deepEqual(await claim(b), [], 'a second worker gets nothing');
        assert.equal(await statusOf(b, other), 'pending');
      }),
    );

    it(
      'gives operators and workers the message as it was received, and the last one where it came again',
      bench(async (b) => {
        const event = b.event();
        for (const message of awkwardMessages) {
          for (const failure of [failureOf(event, { message }), unreadable({ message })]) {
            const id = await b.store.add(failure);
            assertSameMessage((await b.store.get(id))!.message, message);
          }
          for (const each of await b.store.list()) assertSameMessage(each.message, message);
        }
        for (const { id } of await b.store.list()) await b.store.redrive(id);
        const claims = await claim(b);
        assert.equal(claims.length, 2);
        for (const { deadLetter } of claims) {
          assertSameMessage(deadLetter.message, awkwardMessages.at(-1)!);
        }
      }),
    );

    it(
      'gives each of many entries to one of many workers',
      bench(async (b) => {
        for (let number = 0; number < 12; number += 1) {
          await b.store.redrive(await b.store.add(failureOf(b.event())));
        }
        const claims = await Promise.all(Array.from({ length: 6 }, () => claim(b, { limit: 3 })));
        for (const each of claims) assert.ok(each.length <= 3, 'no more than the limit');
        const rest = await claim(b);
        const ids = [...claims.flat(), ...rest].map(({ deadLetter }) => deadLetter.id);
        assert.equal(ids.length, 12);
        assert.equal(new Set(ids).size, 12);
      }),
    );

    it(
      'ends resolved when the redrive went well',
      bench(async (b) => {
        const id = await b.store.add(failureOf(b.event()));
        const claimed = await redriveAndClaim(b, id);
        assert.equal(await b.store.settle(claimed, resolved), true);
        const row = (await b.store.get(id))!;
        assert.equal(row.status, 'resolved');
        assert.ok(row.resolvedAt instanceof Date);
        assert.deepEqual(await claim(b), []);
      }),
    );

    it(
      'ends pending with its attempts added up when the redrive failed, and can be asked for again',
      bench(async (b) => {
        const id = await b.store.add(
          failureOf(b.event(), { totalAttempts: 4, errorCode: 'OLD', errorStack: 'old' }),
        );
        const claimed = await redriveAndClaim(b, id);
        assert.equal(await b.store.settle(claimed, failedAgain), true);
        const row = (await b.store.get(id))!;
        assert.deepEqual([row.status, row.totalAttempts], ['pending', 6]);
        assert.deepEqual(
          [row.failureReason, row.failureType, row.fingerprint, row.errorCode, row.errorStack],
          ['still no', 'permanent', 'f-9', undefined, undefined],
        );
        assert.deepEqual(await claim(b), [], 'not before an operator asks again');
        const again = await redriveAndClaim(b, id);
        assert.notEqual(again.token, claimed.token);
      }),
    );

    it(
      'gives a lapsed claim to the next worker, and refuses the former one from then on',
      bench(async (b) => {
        const id = await b.store.add(failureOf(b.event()));
        const stale = await redriveAndClaim(b, id, 100);
        await b.passTime(200);
        const current = await claimOne(b);
        assert.equal(current.deadLetter.id, id);
        assert.notEqual(current.token, stale.token);
        assert.equal(await b.store.renew(stale, long), false);
        assert.equal(await b.store.settle(stale, failedAgain), false);
        assert.equal(await b.store.settle(stale, resolved), false);
        assert.equal((await b.store.get(id))!.totalAttempts, 1);
        assert.equal(await statusOf(b, id), 'processing');
        assert.equal(await b.store.settle(current, resolved), true);
      }),
    );

    it(
      'holds a renewed claim for longer',
      bench(async (b) => {
        const id = await b.store.add(failureOf(b.event()));
        const claimed = await redriveAndClaim(b, id, 1_500); // time enough to renew it on a busy machine
        assert.equal(await b.store.renew(claimed, long), true);
        await b.passTime(1_600);
        assert.deepEqual(await claim(b), []);
        assert.equal(await b.store.settle(claimed, resolved), true);
      }),
    );

    it(
      'ends a claim once only',
      bench(async (b) => {
        const id = await b.store.add(failureOf(b.event()));
        const claimed = await redriveAndClaim(b, id);
        assert.equal(await b.store.settle(claimed, resolved), true);
        assert.equal(await b.store.settle(claimed, failedAgain), false);
        assert.equal(await b.store.renew(claimed, long), false);
        assert.equal(await statusOf(b, id), 'resolved');
      }),
    );
  });

  describe('deciding', () => {
    it(
      'opens a row again when the failure comes back after somebody had ended it',
      bench(async (b) => {
        const event = b.event();
        const id = await b.store.add(failureOf(event));
        await b.store.resolve(id, { by: 'ops', notes: 'fixed' });
        assert.equal(await b.store.add(failureOf(event)), id);
        assert.equal((await b.store.get(id))!.status, 'pending');
      }),
    );

    it(
      'resolves and skips with who and why',
      bench(async (b) => {
        for (const [decide, status] of [
          ['resolve', 'resolved'],
          ['skip', 'skipped'],
        ] as const) {
          const id = await b.store.add(failureOf(b.event()));
          await b.store[decide](id, { by: 'ops', notes: `${status} by hand` });
          const row = (await b.store.get(id))!;
          assert.deepEqual(
            [row.status, row.resolvedBy, row.resolutionNotes],
            [status, 'ops', `${status} by hand`],
          );
          assert.ok(row.resolvedAt instanceof Date);
        }
      }),
    );

    it(
      'refuses by name what does not exist',
      bench(async (b) => {
        await assert.rejects(b.store.redrive('999999999'), isUnavailable);
        await assert.rejects(b.store.resolve('999999999', { by: 'ops', notes: '' }), isUnavailable);
        await assert.rejects(b.store.skip('999999999', { by: 'ops', notes: '' }), isUnavailable);
      }),
    );

    it(
      'refuses the second of two operators who end one entry',
      bench(async (b) => {
        const id = await b.store.add(failureOf(b.event()));
        await b.store.resolve(id, { by: 'first', notes: 'fixed' });
        await assert.rejects(b.store.skip(id, { by: 'second', notes: 'no use' }), isUnavailable);
        await assert.rejects(b.store.resolve(id, { by: 'second', notes: 'me too' }), isUnavailable);
        await assert.rejects(b.store.redrive(id), isUnavailable);
        assert.equal((await b.store.get(id))!.resolvedBy, 'first');
      }),
    );

    it(
      'does not let a running redrive overwrite what an operator decided meanwhile',
      bench(async (b) => {
        const id = await b.store.add(failureOf(b.event()));
        const claimed = await redriveAndClaim(b, id);
        const decided = await b.store.skip(id, { by: 'ops', notes: 'no use' }).then(
          () => true,
          (error: unknown) => (assert.ok(isUnavailable(error), String(error)), false),
        );
        assert.equal(await b.store.settle(claimed, failedAgain), !decided);
        assert.equal(await statusOf(b, id), decided ? 'skipped' : 'pending');
      }),
    );
  });
}

function claim(
  b: StoreBench<DeadLetterQueue>,
  { group = 'billing', limit = 100 }: { group?: string; limit?: number } = {},
): Promise<DeadLetterClaim[]> {
  return b.store.claim(group, { limit, leaseMs: long, worker: 'worker-1' });
}

async function claimOne(
  b: StoreBench<DeadLetterQueue>,
  leaseMs: number = long,
): Promise<DeadLetterClaim> {
  const claims = await b.store.claim('billing', { limit: 100, leaseMs, worker: 'worker-1' });
  assert.equal(claims.length, 1, 'one entry is to be claimed');
  return claims[0]!;
}

async function redriveAndClaim(
  b: StoreBench<DeadLetterQueue>,
  id: string,
  leaseMs?: number,
): Promise<DeadLetterClaim> {
  await b.store.redrive(id);
  return await claimOne(b, leaseMs);
}

async function statusOf(
  b: StoreBench<DeadLetterQueue>,
  id: string,
): Promise<DeadLetterStatus | undefined> {
  return (await b.store.get(id))?.status;
}
