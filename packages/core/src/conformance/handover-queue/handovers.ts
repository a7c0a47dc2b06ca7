import assert from 'node:assert/strict';

import type { EventEnvelope } from '../../event/envelope.ts';
import type {
  HandoverAnswer,
  HandoverClaim,
  HandoverKind,
  HandoverQuestion,
  HandoverQueue,
  NewHandover,
} from '../../transport/handover-queue.ts';
import { messageOf, place } from '../dead-letter-queue/failures.ts';
import type { StoreBench } from '../store/store-bench.ts';

export type HandoverBench = StoreBench<HandoverQueue>;

/** Longer than any case takes, in milliseconds. */
export const long = 60_000;
/** What operators say of a handler that does not come back. */
export const retirement = { by: 'ops', reason: 'was rolled back' };

/** An event that is left for the handler `book` in the group `billing`. */
export function handoverOf(event: EventEnvelope, given: Partial<NewHandover> = {}): NewHandover {
  return {
    group: 'billing',
    handler: 'book',
    derived: false,
    eventId: event.id,
    eventType: event.type,
    eventVersion: event.version ?? 1,
    source: event.source,
    coordinates: place('1'),
    message: messageOf(event),
    ...given,
  };
}

/** Leaves one event of a key, with whatever matters to the case. */
export async function leave(
  b: HandoverBench,
  key: string,
  given: Partial<NewHandover> = {},
): Promise<NewHandover> {
  const handover = handoverOf(b.event({ subject: key }), given);
  await b.store.add([handover]);
  return handover;
}

/** Leaves several events of one key, one after the other. */
export async function leaveSeveral(
  b: HandoverBench,
  key: string,
  count: number,
): Promise<NewHandover[]> {
  const handovers = Array.from({ length: count }, () => handoverOf(b.event({ subject: key })));
  await b.store.add(handovers);
  return handovers;
}

/** What a handler asks when it gets the very event of a handover. */
export function questionAbout(
  { group, handler, source, eventId, message }: NewHandover,
  given: Partial<HandoverQuestion> = {},
): HandoverQuestion {
  return { group, handlers: [handler], key: message.key, source, eventId, ...given };
}

/** What a handler asks when it gets another event of the key of a handover. */
export function questionBehind(
  handover: NewHandover,
  given: Partial<HandoverQuestion> = {},
): HandoverQuestion {
  return questionAbout(handover, { eventId: 'a later event', ...given });
}

export async function answerTo(
  b: HandoverBench,
  question: HandoverQuestion,
): Promise<HandoverAnswer> {
  const answers = await b.store.look([question]);
  assert.equal(answers.length, 1, 'one answer for one question');
  return answers[0]!;
}

/** The kind of `handoverOf`, with whatever matters to the case. */
export function kindOf(given: Partial<HandoverKind> = {}): HandoverKind {
  return { handler: 'book', eventType: 'order.placed', eventVersion: 1, ...given };
}

/** Claims for the group `billing`, whatever its handler `book` waits for unless told otherwise. */
export function claim(
  { store }: { readonly store: HandoverQueue },
  given: {
    readonly group?: string;
    readonly kinds?: readonly HandoverKind[];
    readonly limit?: number;
    readonly leaseMs?: number;
    readonly worker?: string;
  } = {},
): Promise<HandoverClaim[]> {
  const { group = 'billing', kinds = [kindOf()], limit = 100, leaseMs = long } = given;
  return store.claim(group, { kinds, limit, leaseMs, worker: given.worker ?? 'worker-1' });
}

/** Claims what must be exactly one. */
export async function claimOne(
  b: HandoverBench,
  given: Parameters<typeof claim>[1] = {},
): Promise<HandoverClaim> {
  const claims = await claim(b, given);
  assert.equal(claims.length, 1, 'one handover is to be claimed');
  return claims[0]!;
}

/** Ids of the events of claims, or of handovers. */
export function idsOf(given: readonly (HandoverClaim | NewHandover)[]): string[] {
  return given.map((each) => ('handover' in each ? each.handover.eventId : each.eventId));
}

/** Fails unless the group `billing` has nothing left to do. */
export async function assertNothingOpen(b: HandoverBench): Promise<void> {
  assert.deepEqual(await b.store.open('billing'), []);
  assert.deepEqual(await claim(b), []);
}

/** Fails unless nothing can be done with a claim any more. */
export async function assertLost(b: HandoverBench, lost: HandoverClaim): Promise<void> {
  assert.equal(await b.store.renew(lost, long), false, 'it cannot be renewed');
  assert.equal(await b.store.release(lost), false, 'it cannot be released');
  assert.equal(await b.store.settle(lost), false, 'it cannot be settled');
}
