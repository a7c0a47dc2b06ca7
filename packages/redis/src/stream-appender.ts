import { assertCarriable, GroupCommit, type EventError, type Message } from '@waybill/core';

import { laterId } from './entry-id.ts';
import { redisError } from './redis-errors.ts';
import type { RedisArgument } from './redis-like.ts';
import { RedisScript, type RedisCall } from './redis-script.ts';
import { registerStream } from './register-stream.ts';
import { fieldsOf } from './stream-entry.ts';
import type { StreamNames } from './stream-names.ts';

/**
 * Appends the messages of several calls. Within a call, nothing is accepted behind what was refused.
 *
 * `KEYS`: set of streams, set of open groups, then the streams. `ARGV`: number of calls; for each its number of messages; for each the
 * number of its stream among the keys, how many fields and values follow, and those.
 *
 * @returns For each call the ids of its entries, or why it was refused.
 */
const append = new RedisScript<(string[] | string)[]>(`
${registerStream}
for at = 3, #KEYS do register(KEYS[1], KEYS[2], KEYS[at]) end
local at, replies = 2, {}
for call = 1, tonumber(ARGV[1]) do
  local messages = tonumber(ARGV[at])
  at = at + 1
  local ids, refused = {}, nil
  for message = 1, messages do
    local size = tonumber(ARGV[at + 1])
    if not refused then
      local id = redis.pcall('XADD', KEYS[tonumber(ARGV[at]) + 2], '*', unpack(ARGV, at + 2, at + 1 + size))
      if type(id) == 'table' then refused = id.err else ids[message] = id end
    end
    at = at + 2 + size
  end
  replies[call] = refused or ids
end
return replies`);

/** Most messages in one script, and about the most bytes: Redis serves nobody else meanwhile. */
const maxMessages = 500;
const maxBytes = 4 * 1024 * 1024;

/**
 * Puts messages into their streams: whatever was published while Redis was busy with the last ones goes
 * as one command, and a lone message goes at once.
 */
export class StreamAppender {
  readonly #call: RedisCall;
  readonly #names: StreamNames;
  readonly #calls: GroupCommit<readonly Message[], readonly string[] | EventError>;
  readonly #lastIds = new Map<string, string>();

  constructor(call: RedisCall, names: StreamNames) {
    this.#call = call;
    this.#names = names;
    this.#calls = new GroupCommit({
      flush: (calls) => this.#append(calls),
      maxItems: maxMessages,
      isItemFault: () => false,
    });
  }

  /** The youngest entry that was put into each stream from here. */
  get lastIds(): ReadonlyMap<string, string> {
    return this.#lastIds;
  }

  /** Takes note that a stream has begun anew. */
  forget(stream: string): void {
    this.#lastIds.delete(stream);
  }

  /**
   * @returns The id of each entry.
   * @throws {EventError} `TRANSPORT_UNAVAILABLE`; `MESSAGE_UNPARSEABLE` if a text has no UTF-8
   */
  async publish(messages: readonly Message[]): Promise<readonly string[]> {
    for (const message of messages) assertCarriable(message);
    const ids: string[] = [];
    // Copied here: what the publisher does with its bytes afterwards changes nothing.
    for (const part of partsOf(messages.map(copied))) {
      const accepted = await this.#calls.add(part);
      if (accepted instanceof Error) throw accepted;
      ids.push(...accepted);
    }
    return ids;
  }

  /** Resolves when nothing is on its way any more. */
  settled(): Promise<void> {
    return this.#calls.settled();
  }

  async #append(
    calls: readonly (readonly Message[])[],
  ): Promise<readonly (readonly string[] | EventError)[]> {
    const outcomes: (readonly string[] | EventError)[] = [];
    for (const group of groupsOf(calls)) outcomes.push(...(await this.#appendGroup(group)));
    return outcomes;
  }

  async #appendGroup(
    calls: readonly (readonly Message[])[],
  ): Promise<(readonly string[] | EventError)[]> {
    const streams = new Map<string, number>();
    const args: RedisArgument[] = [calls.length];
    for (const messages of calls) {
      args.push(messages.length);
      for (const message of messages) {
        const stream = this.#names.streamOf(message.type);
        let number = streams.get(stream);
        if (number === undefined) streams.set(stream, (number = streams.size + 1));
        const fields = fieldsOf(message);
        args.push(number, fields.length, ...fields);
      }
    }
    try {
      const keys = [this.#names.streams, this.#names.openGroups, ...streams.keys()];
      const replies = await append.run(this.#call, keys, args);
      return replies.map((reply, index) => this.#outcomeOf(reply, calls[index]!));
    } catch (error) {
      const failed = redisError(error, 'take messages');
      return calls.map(() => failed);
    }
  }

  #outcomeOf(
    reply: string[] | string,
    messages: readonly Message[],
  ): readonly string[] | EventError {
    if (typeof reply === 'string') {
      const refusal = Object.assign(new Error(reply.replace(/^-/, '')), { name: 'ReplyError' });
      return redisError(refusal, `take ${messages[0]!.type} ${messages[0]!.id}`);
    }
    for (const [index, id] of reply.entries()) {
      const stream = this.#names.streamOf(messages[index]!.type);
      this.#lastIds.set(stream, laterId(id, this.#lastIds.get(stream) ?? id));
    }
    return reply;
  }
}

function copied(message: Message): Message {
  const { body } = message;
  return typeof body === 'string' ? message : { ...message, body: Buffer.from(body) };
}

/** A call that is too long goes in parts, each after the one before was accepted. */
function partsOf(messages: readonly Message[]): readonly (readonly Message[])[] {
  const parts: Message[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const last = parts.at(-1);
    bytes += message.body.length;
    if (last && last.length < maxMessages && bytes <= maxBytes) last.push(message);
    else {
      parts.push([message]);
      bytes = message.body.length;
    }
  }
  return parts;
}

/** Calls that go together. */
function groupsOf(calls: readonly (readonly Message[])[]): (readonly Message[])[][] {
  const groups: (readonly Message[])[][] = [];
  let messages = 0;
  let bytes = 0;
  for (const call of calls) {
    const size = call.reduce((sum, { body }) => sum + body.length, 0);
    messages += call.length;
    bytes += size;
    const last = groups.at(-1);
    if (last && messages <= maxMessages && bytes <= maxBytes) last.push(call);
    else {
      groups.push([call]);
      messages = call.length;
      bytes = size;
    }
  }
  return groups;
}
