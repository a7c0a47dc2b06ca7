import { createHash } from 'node:crypto';

import { randomIds } from '@waybill/core';
import type { HandoverQueue, Retirement, TransactionChoice } from '@waybill/core';
import {
  assertHandoverQuestions,
  assertKnownOptions,
  assertRange,
  assertRetirement,
} from '@waybill/core/adapter';
import type {
  Handover,
  HandoverAnswer,
  HandoverClaim,
  HandoverKind,
  HandoverQuestion,
  NewHandover,
  OpenHandovers,
} from '@waybill/core/adapter';

import * as scripts from './handover-scripts.ts';
import {
  coordinateColumns,
  coordinatesOf,
  flat,
  messageColumns,
  messageOf,
  pairs,
} from './message-record.ts';
import { assertNoTransaction } from './no-transaction.ts';
import { redisCaller, type RedisCaller } from './redis-caller.ts';
import type { RedisArgument, RedisSource } from './redis-like.ts';
import type { RedisScript } from './redis-script.ts';
import { runScript } from './run-script.ts';
import { defaultStreamPrefix, StreamNames } from './stream-names.ts';

export interface RedisHandoverQueueOptions {
  /** A client, which is used as it is and not closed; or options or a URL for a connection of its own. */
  readonly redis: RedisSource | RedisCaller;
  /** What the names of its keys begin with; `waybill:events:` unless given. */
  readonly streamPrefix?: string;
}

const answers: readonly HandoverAnswer[] = ['none', 'waiting', 'known'];
/** Most that one script forgets. */
const pruneBatch = 1_000;

/**
 * Handovers on Redis, for services without a database of their own.
 *
 * `HGETALL <prefix>:handovers:<group>:kinds` shows what waits, `ZCARD <prefix>:handovers:<group>:waiting:<kind>`
 * how much of it, and `HGETALL <prefix>:handovers:<group>:<number>` one of them.
 */
export class RedisHandoverQueue implements HandoverQueue {
  readonly #caller: RedisCaller;
  readonly #owned: boolean;
  readonly #base: string;
  readonly #groups = new Set<string>();

  /** @throws {TypeError} If `redis` or the prefix cannot be used, or an option is not known. */
  constructor(options: RedisHandoverQueueOptions) {
    assertKnownOptions('RedisHandoverQueue', options, { redis: true, streamPrefix: true });
    const { redis, streamPrefix = defaultStreamPrefix } = options;
    this.#base = `${new StreamNames(streamPrefix).prefix}:handovers`;
    this.#caller = redisCaller(redis, 'waybill-handovers');
    this.#owned = this.#caller !== redis;
  }

  /** Services that have nothing but Redis in common are kept apart: one of them has the wrong group. */
  async identity(): Promise<null> {
    return null;
  }

  /** @throws {EventError} `TX_FOREIGN` if a transaction is given; `TRANSPORT_UNAVAILABLE` */
  async add(handovers: readonly NewHandover[], options?: TransactionChoice): Promise<void> {
    assertNoTransaction('add', options, {});
    for (const given of handovers) {
      const { group, handler, derived, message } = given;
      const args = [
        nameOf(handler, given),
        kindName(given),
        JSON.stringify({ ...kindOf(given), derived }),
        handler,
        laneOf(handler, message.key),
        ...fieldsOf(given),
      ];
      await this.#run(group, scripts.addScript, 'store a handover', args);
    }
  }

  async look(questions: readonly HandoverQuestion[]): Promise<readonly HandoverAnswer[]> {
    assertHandoverQuestions(questions);
    const found = new Map<HandoverQuestion, HandoverAnswer>();
    for (const [group, asked] of Map.groupBy(questions, (question) => question.group)) {
      const width = Math.max(...asked.map(({ handlers }) => handlers.length));
      const args = asked.flatMap((question) => {
        const { handlers, key } = question;
        const empty = Array.from({ length: width - handlers.length }, () => '');
        const names = handlers.map((handler) => nameOf(handler, question));
        const lanes = handlers.map((handler) => laneOf(handler, key));
        return [...names, ...empty, ...lanes, ...empty];
      });
      const doing = 'look handovers up';
      const numbers = await this.#run(group, scripts.lookScript, doing, [width, ...args]);
      for (const [at, question] of asked.entries()) found.set(question, answers[numbers[at]!]!);
    }
    return questions.map((question) => found.get(question)!);
  }

  async open(group: string): Promise<readonly OpenHandovers[]> {
    this.#groups.add(group);
    const open = await this.#run(group, scripts.openScript, 'list handovers', []);
    return open
      .toSorted(([, , a], [, , b]) => Number(a) - Number(b))
      .map(([kind, count, , oldestMs]) => ({
        ...(JSON.parse(kind) as HandoverKind & { derived: boolean }),
        count,
        oldest: new Date(Number(oldestMs)),
      }));
  }

  async claim(
    group: string,
    options: {
      readonly kinds: readonly HandoverKind[];
      readonly limit: number;
      readonly leaseMs: number;
      readonly worker: string;
    },
  ): Promise<HandoverClaim[]> {
    const { kinds, limit, leaseMs, worker } = options;
    const token = randomIds();
    const args = [token, leaseMs, limit, worker, ...new Set(kinds.map(kindName))];
    const replies = await this.#run(group, scripts.claimScript, 'claim handovers', args);
    return replies.map((reply) => ({ handover: handoverOf(group, reply), token }));
  }

  async renew({ handover, token }: HandoverClaim, leaseMs: number): Promise<boolean> {
    const args = [handover.id, token, leaseMs];
    return (await this.#run(handover.group, scripts.renewScript, 'renew a claim', args)) === 1;
  }

  async settle({ handover, token }: HandoverClaim): Promise<boolean> {
    const args = [handover.id, token];
    return (await this.#run(handover.group, scripts.settleScript, 'end a handover', args)) === 1;
  }

  async release({ handover, token }: HandoverClaim): Promise<boolean> {
    const args = [handover.id, token];
    const doing = 'give a handover back';
    return (await this.#run(handover.group, scripts.releaseScript, doing, args)) === 1;
  }

  async retire(group: string, handler: string, retirement: Retirement): Promise<number> {
    assertRetirement(retirement);
    const args = [handler, retirement.by, retirement.reason];
    return await this.#run(group, scripts.retireScript, 'retire a handler', args);
  }

  async reinstate(group: string, handlers: readonly string[]): Promise<void> {
    await this.#run(group, scripts.reinstateScript, 'reinstate handlers', handlers);
  }

  /** Forgets what ended in the groups that this queue was asked about. */
  async prune(olderThanMs: number): Promise<number> {
    assertRange('prune', 'olderThanMs', olderThanMs, 0, Number.MAX_SAFE_INTEGER);
    let pruned = 0;
    for (const group of this.#groups) {
      for (let batch = pruneBatch; batch === pruneBatch; pruned += batch) {
        const args = [Math.ceil(olderThanMs), pruneBatch];
        batch = await this.#run(group, scripts.pruneScript, 'forget handovers', args);
      }
    }
    return pruned;
  }

  /** Ends the connection, if it is one of its own. Idempotent. */
  close(): void {
    if (this.#owned) this.#caller.close();
  }

  #run<Reply>(
    group: string,
    script: RedisScript<Reply>,
    doing: string,
    args: readonly RedisArgument[],
  ): Promise<Reply> {
    this.#groups.add(group);
    return runScript(this.#caller, script, { doing, keys: [`${this.#base}:${group}`], args });
  }
}

/** Names and values of a new hash, named like the columns of `event_handover`. */
function fieldsOf(given: NewHandover): string[] {
  return flat({
    handler: given.handler,
    derived: String(given.derived),
    source: given.source,
    event_id: given.eventId,
    event_type: given.eventType,
    event_version: String(given.eventVersion),
    ...coordinateColumns(given.coordinates),
    ...messageColumns(given.message),
  });
}

function handoverOf(group: string, [id, fields]: scripts.HandoverReply): Handover {
  const all = new Map(pairs(fields));
  const text = (name: string): string => all.get(name) ?? '';
  return {
    id,
    group,
    handler: text('handler'),
    derived: text('derived') === 'true',
    source: text('source'),
    eventId: text('event_id'),
    eventType: text('event_type'),
    eventVersion: Number(text('event_version')),
    enteredAt: new Date(Number(text('entered_at'))),
    coordinates: coordinatesOf(text),
    message: messageOf(all),
  };
}

function kindOf({ handler, eventType, eventVersion }: HandoverKind): HandoverKind {
  return { handler, eventType, eventVersion };
}

/** Short, since it is part of the name of a key. */
function kindName(kind: HandoverKind): string {
  return createHash('sha256')
    .update(JSON.stringify(kindOf(kind)))
    .digest('hex')
    .slice(0, 16);
}

function nameOf(handler: string, { source, eventId }: { source: string; eventId: string }): string {
  return JSON.stringify([handler, source, eventId]);
}

function laneOf(handler: string, key: string): string {
  return JSON.stringify([handler, key]);
}
