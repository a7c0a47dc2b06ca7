import { EventError, randomIds } from '@waybill/core';
import { assertDeadLetterKeys, assertKnownOptions, assertRange } from '@waybill/core/adapter';
import type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterQueue,
  Resolution,
  TransactionChoice,
} from '@waybill/core';
import type {
  DeadLetterClaim,
  DeadLetterKey,
  NewDeadLetter,
  RedriveOutcome,
} from '@waybill/core/adapter';

import { isEntryId, searchOf } from './dead-letter-filter.ts';
import { identityOf, identityOfKey } from './dead-letter-identity.ts';
import { deadLetterOf, entryFields, reasonFields } from './dead-letter-record.ts';
import * as scripts from './dead-letter-scripts.ts';
import { compareIds } from './entry-id.ts';
import { assertNoTransaction } from './no-transaction.ts';
import { redisCaller, type RedisCaller } from './redis-caller.ts';
import type { RedisArgument, RedisSource } from './redis-like.ts';
import type { RedisScript } from './redis-script.ts';
import { runScript } from './run-script.ts';
import { defaultStreamPrefix, StreamNames } from './stream-names.ts';

export interface RedisDeadLetterQueueOptions {
  /** A client, which is used as it is and not closed; or options or a URL for a connection of its own. */
  readonly redis: RedisSource | RedisCaller;
  /** What the names of its keys begin with; `waybill:events:` unless given. */
  readonly streamPrefix?: string;
}

/** Most entries that one script looks at, so that it does not keep others waiting. */
const lookedAt = 100;

/**
 * Dead letters in a stream on Redis, for services without a database of their own.
 *
 * `XRANGE <prefix>:dead-letters - +` shows each as it first failed, in fields named like the columns of
 * `event_dlq`; the first part of its id is when, in milliseconds. `HGETALL <prefix>:dead-letters:<id>`
 * shows what has become of it: its status, all attempts, the last reason where that is another one, and
 * who decided. Nobody trims the stream. To end or redrive a dead letter use the verbs here; a status
 * that is set by hand is not noticed, and an entry that is deleted by hand is gone.
 *
 * It is as durable as Redis is. On the server of the streams, a dead letter is written before its
 * message is settled, so a crash or a failover that takes it away takes the settlement with it.
 * Otherwise, what was acknowledged right before a failover, or (with `appendfsync everysec`) in the last
 * two seconds before a crash, can be lost. Nor may the server evict keys: set `maxmemory-policy noeviction`.
 *
 * It joins no transaction. Inside a handler that has one it writes at once, and a rollback takes nothing back.
 */
export class RedisDeadLetterQueue implements DeadLetterQueue {
  readonly #caller: RedisCaller;
  readonly #owned: boolean;
  readonly #stream: string;

  /** @throws {TypeError} If `redis` or the prefix cannot be used, or an option is not known. */
  constructor(options: RedisDeadLetterQueueOptions) {
    assertKnownOptions('RedisDeadLetterQueue', options, { redis: true, streamPrefix: true });
    const { redis, streamPrefix = defaultStreamPrefix } = options;
    this.#stream = `${new StreamNames(streamPrefix).prefix}:dead-letters`;
    this.#caller = redisCaller(redis, 'waybill-dead-letters');
    this.#owned = this.#caller !== redis;
  }

  /** @throws {EventError} `TX_FOREIGN` if a transaction is given; `TRANSPORT_UNAVAILABLE` */
  async add(failure: NewDeadLetter, options?: TransactionChoice): Promise<string> {
    assertNoTransaction('add', options, {});
    const { totalAttempts } = failure;
    assertRange('add', 'totalAttempts', totalAttempts, 1, Number.MAX_SAFE_INTEGER, true);
    const args = [identityOf(failure), randomIds(), totalAttempts, ...entryFields(failure)];
    return await this.#run(scripts.addScript, 'store a dead letter', args);
  }

  async get(id: string): Promise<DeadLetter | null> {
    if (!isEntryId(id)) return null;
    const reply = await this.#run(scripts.getScript, 'look a dead letter up', [id]);
    return reply && deadLetterOf(reply);
  }

  async find(keys: readonly DeadLetterKey[]): Promise<readonly (DeadLetter | null)[]> {
    assertDeadLetterKeys(keys);
    if (keys.length === 0) return [];
    const names = keys.map(identityOfKey);
    const replies = await this.#run(scripts.findScript, 'look dead letters up', names);
    return replies.map((reply) => reply && deadLetterOf(reply));
  }

  /** Oldest first. Looks at every entry from the first one on, so pass `afterId` where there are many. */
  async list(filter: DeadLetterFilter = {}): Promise<DeadLetter[]> {
    const { after, limit, wanted } = searchOf(filter);
    const found: DeadLetter[] = [];
    for (let last = after; isEntryId(last) && found.length < limit;) {
      const args = [last, lookedAt, limit - found.length, ...wanted];
      const [next, replies] = await this.#run(scripts.listScript, 'list dead letters', args);
      found.push(...replies.map(deadLetterOf));
      last = next;
    }
    return found;
  }

  /** @throws {EventError} `DEAD_LETTER_UNAVAILABLE`, `TRANSPORT_UNAVAILABLE` */
  async redrive(id: string): Promise<void> {
    await this.#decide(id, 'processing');
  }

  /** @throws {EventError} `DEAD_LETTER_UNAVAILABLE`, `TRANSPORT_UNAVAILABLE` */
  async resolve(id: string, resolution: Resolution): Promise<void> {
    await this.#decide(id, 'resolved', resolution);
  }

  /** @throws {EventError} `DEAD_LETTER_UNAVAILABLE`, `TRANSPORT_UNAVAILABLE` */
  async skip(id: string, resolution: Resolution): Promise<void> {
    await this.#decide(id, 'skipped', resolution);
  }

  /**
   * A client that loses the answer and asks again may leave some claimed by nobody until they lapse.
   *
   * @throws {EventError} `TRANSPORT_UNAVAILABLE`
   */
  async claim(
    group: string,
    { limit, leaseMs, worker }: { limit: number; leaseMs: number; worker: string },
  ): Promise<DeadLetterClaim[]> {
    const token = randomIds();
    const args = [group, token, leaseMs, limit, worker];
    const replies = await this.#run(scripts.claimScript, 'claim dead letters', args);
    return replies
      .map((reply) => ({ deadLetter: deadLetterOf(reply), token }))
      .sort((a, b) => compareIds(a.deadLetter.id, b.deadLetter.id));
  }

  async renew({ deadLetter, token }: DeadLetterClaim, leaseMs: number): Promise<boolean> {
    const args = [deadLetter.id, deadLetter.group, token, leaseMs];
    return isOne(await this.#run(scripts.renewScript, 'renew a claim', args));
  }

  async settle({ deadLetter, token }: DeadLetterClaim, outcome: RedriveOutcome): Promise<boolean> {
    const { id, group } = deadLetter;
    const failed = outcome.status === 'pending';
    const change = failed ? [outcome.attempts, ...reasonFields(outcome)] : [];
    const args = [id, group, token, randomIds(), outcome.status, ...change];
    return isOne(await this.#run(scripts.settleScript, 'settle a dead letter', args));
  }

  /** Ends the connection, if it is one of its own. Idempotent. */
  close(): void {
    if (this.#owned) this.#caller.close();
  }

  async #decide(
    id: string,
    status: 'processing' | 'resolved' | 'skipped',
    { by, notes }: Resolution = { by: '', notes: '' },
  ): Promise<void> {
    if (!isEntryId(id)) throw unavailable(id);
    const args = [id, randomIds(), status, by, notes];
    const answer = await this.#run(scripts.decideScript, 'change a dead letter', args);
    if (answer !== 'done') throw unavailable(id, answer ?? undefined);
  }

  #run<Reply>(
    script: RedisScript<Reply>,
    doing: string,
    args: readonly RedisArgument[],
  ): Promise<Reply> {
    return runScript(this.#caller, script, { doing, keys: [this.#stream], args });
  }
}

/** A client may be set up to give numbers as text. */
function isOne(reply: unknown): boolean {
  return Number(reply) === 1;
}

function unavailable(id: string, status?: string): EventError {
  const why = status === undefined ? 'does not exist' : `is ${status} already`;
  return new EventError('DEAD_LETTER_UNAVAILABLE', `dead letter ${id} ${why}`, {
    deadLetterId: id,
    status,
  });
}
