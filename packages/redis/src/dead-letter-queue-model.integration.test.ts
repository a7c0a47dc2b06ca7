import { isEventError, type DeadLetter, type DeadLetterQueue } from '@waybill/core';
import type { DeadLetterClaim, NewDeadLetter } from '@waybill/core/adapter';
import { MemoryDeadLetterQueue } from '@waybill/core/memory';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasRedis } from '../../../scripts/services/test-redis.ts';
import { StoreBench } from '../test/store-bench.ts';
import { RedisDeadLetterQueue } from './dead-letter-queue.ts';

const few = fc.nat({ max: 3 });
const steps = fc.array(
  fc.oneof(
    fc.record({
      verb: fc.constant('add' as const),
      which: few,
      reason: few,
      readable: fc.boolean(),
    }),
    fc.record({
      verb: fc.constantFrom('redrive', 'resolve', 'skip', 'claim', 'renew', 'succeed', 'fail'),
      which: few,
    }),
  ),
  { maxLength: 40 },
);
type Step = typeof steps extends fc.Arbitrary<(infer Each)[]> ? Each : never;

/** Does the same to any queue; letters and claims go by when they came, since ids and tokens differ. */
class Player {
  readonly #queue: DeadLetterQueue;
  readonly #ids: string[] = [];
  readonly #claims: DeadLetterClaim[] = [];

  constructor(queue: DeadLetterQueue) {
    this.#queue = queue;
  }

  /** @returns What the queue answered, in terms that every queue has in common. */
  async play(step: Step): Promise<unknown> {
    try {
      return await this.#do(step);
    } catch (error) {
      if (!isEventError(error)) throw error;
      return [error.code, 'status' in error.details ? error.details.status : undefined];
    }
  }

  async list(): Promise<object[]> {
    return (await this.#queue.list()).map((each) => this.#shown(each));
  }

  async #do(step: Step): Promise<unknown> {
    const queue = this.#queue;
    const id = this.#ids[step.which] ?? '999-0';
    const claim = this.#claims.at(-1 - step.which);
    switch (step.verb) {
      case 'add':
        return this.#numberOf(await queue.add(failureOf(step)));
      case 'redrive':
        return await queue.redrive(id);
      case 'resolve':
      case 'skip':
        return await queue[step.verb](id, { by: 'ops', notes: '' });
      case 'claim': {
        const options = { limit: 2, leaseMs: 600_000, worker: 'w' };
        const claims = await queue.claim(`group-${step.which % 2}`, options);
        this.#claims.push(...claims);
        return claims.map(({ deadLetter }) => this.#shown(deadLetter));
      }
      case 'renew':
        return claim && (await queue.renew(claim, 600_000));
      case 'succeed':
        return claim && (await queue.settle(claim, { status: 'resolved' }));
      case 'fail':
        return (
          claim && (await queue.settle(claim, { ...reasonOf(3), status: 'pending', attempts: 2 }))
        );
    }
  }

  #numberOf(id: string): number {
    if (!this.#ids.includes(id)) this.#ids.push(id);
    return this.#ids.indexOf(id);
  }

  #shown({ id, enteredAt: _enteredAt, resolvedAt, message, ...rest }: DeadLetter): object {
    const { resolvedBy, resolutionNotes, ...others } = rest;
    // Who has settled a claim is told by some queues only.
    const byHand = resolvedBy === 'ops' ? { resolvedBy, resolutionNotes } : {};
    const { body, ...labels } = message;
    const bytes = [labels, typeof body, Buffer.from(body).toString('hex')];
    return { ...others, ...byHand, bytes, number: this.#numberOf(id), ended: Boolean(resolvedAt) };
  }
}

function reasonOf(
  reason: number,
): Pick<NewDeadLetter, 'failureReason' | 'failureType' | 'fingerprint' | 'errorCode'> {
  return {
    failureReason: `reason ${reason}`,
    failureType: reason === 0 ? 'transient' : 'permanent',
    fingerprint: `f-${reason}`,
    ...(reason % 2 === 0 ? {} : { errorCode: `E_${reason}` }),
  };
}

function failureOf({ which, reason, readable }: Step & { verb: 'add' }): NewDeadLetter {
  const eventId = `e-${which}`;
  const event = {
    id: eventId,
    source: 'shop',
    specversion: '1.0' as const,
    type: 'order.placed',
    datacontenttype: 'application/json' as const,
    time: '2026-03-01T12:00:00.000Z',
    version: reason,
    data: null,
  };
  return {
    group: `group-${which % 2}`,
    handler: readable ? 'book' : '',
    coordinates: {
      transport: 'redis',
      stream: 'orders',
      position: `${readable ? reason : which}-0`,
    },
    ...(readable ? { event, eventId, eventType: event.type } : {}),
    message: {
      id: reason === 1 ? '' : `m-${reason}`,
      type: reason === 1 ? '' : event.type,
      key: `key-${reason}`,
      contentType: 'application/json',
      body: reason === 0 ? Uint8Array.of(255, which) : JSON.stringify(event),
      ...(reason < 2 ? {} : { headers: [['note', `n-${reason}`]] as const }),
    },
    totalAttempts: 1 + reason,
    ...reasonOf(reason),
  };
}

describe.skipIf(!hasRedis())('dead letters on Redis and in memory', () => {
  const bench = new StoreBench();
  beforeAll(() => bench.open());
  afterAll(() => bench.close());

  it('answer the same, whatever is done to them in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const options = { redis: bench.client, streamPrefix: bench.prefix() };
        const redis = new Player(new RedisDeadLetterQueue(options));
        const memory = new Player(new MemoryDeadLetterQueue());
        for (const step of sequence) {
          expect(await redis.play(step)).toEqual(await memory.play(step));
          expect(await redis.list()).toEqual(await memory.list());
        }
      }),
      { numRuns: 150 },
    );
  });
});
