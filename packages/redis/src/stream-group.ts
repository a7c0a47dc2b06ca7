import { describeStart } from '@waybill/core/adapter';
import type { GroupStart, Observer } from '@waybill/core';

import { compareIds, idBefore, laterId, lastIdBefore, zeroId } from './entry-id.ts';
import { replyCodeOf } from './redis-errors.ts';
import { RedisScript, type RedisCall } from './redis-script.ts';
import { registerStream } from './register-stream.ts';
import { redisTransport } from './stream-delivery.ts';
import type { StreamNames } from './stream-names.ts';
import type { StreamSource } from './stream-sources.ts';

/**
 * Makes a group on streams where it does not exist.
 *
 * `KEYS`: set of streams, set of open groups, then the streams that the group names. `ARGV`: group, id after
 * which it begins, 1 if it is open and so takes all other streams as well.
 *
 * @returns The streams on which the group is new; all of its streams.
 */
const join = new RedisScript<readonly [created: string[], streams: string[]]>(`
${registerStream}
if ARGV[3] == '1' and redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 0 then
  redis.call('SADD', KEYS[2], ARGV[1])
end
local streams, isNamed = {}, {}
for at = 3, #KEYS do
  streams[#streams + 1] = KEYS[at]
  isNamed[KEYS[at]] = true
end
if ARGV[3] == '1' then
  for _, stream in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    if not isNamed[stream] then streams[#streams + 1] = stream end
  end
end
local created = {}
for _, stream in ipairs(streams) do
  -- Asked first, since a server that is full refuses XGROUP CREATE also for a group that exists.
  if redis.pcall('XPENDING', stream, ARGV[1]).err then
    local made = redis.pcall('XGROUP', 'CREATE', stream, ARGV[1], ARGV[2], 'MKSTREAM')
    if made.err then return made end
    created[#created + 1] = stream
  end
  register(KEYS[1], KEYS[2], stream)
end
return { created, streams }`);

/** A consumer group, which Redis keeps once for every stream. */
export class StreamGroup {
  readonly name: string;
  /** True if it takes every stream, also one that does not exist yet. */
  readonly open: boolean;
  readonly #call: RedisCall;
  readonly #names: StreamNames;
  readonly #observe: Observer;

  constructor(
    name: string,
    given: { open: boolean; call: RedisCall; names: StreamNames; observe: Observer },
  ) {
    this.name = name;
    this.open = given.open;
    this.#call = given.call;
    this.#names = given.names;
    this.#observe = given.observe;
  }

  /** The key of its registry. */
  get registryKey(): string {
    return this.#names.registryOf(this.name);
  }

  /**
   * Makes the group where it does not exist; where it does, it goes on where it stood.
   *
   * @param named Streams that it takes; all others come with them if it is open.
   * @returns The streams on which the group is new; all of its streams.
   */
  async join(
    start: GroupStart,
    named: readonly string[],
  ): Promise<{ created: string[]; streams: string[] }> {
    const keys = [this.#names.streams, this.#names.openGroups, ...named];
    const args = [this.name, idOf(start), this.open ? 1 : 0];
    const [created, streams] = await join.run(this.#call, keys, args);
    return { created, streams };
  }

  /** Says that it was new on streams, and where it has begun. */
  announce(streams: readonly string[], start: GroupStart): void {
    if (streams.length === 0) return;
    this.#observe({
      kind: 'warning',
      code: 'NEW_GROUP_STARTS',
      message: `group ${this.name} is new on ${streams.join(', ')} and begins ${describeStart(start)}; say start: 'earliest', 'latest' or a time to choose`,
    });
  }

  /** Every stream that was ever used. */
  async allStreams(): Promise<string[]> {
    return (await this.#call('SMEMBERS', this.#names.streams)) as string[];
  }

  /**
   * Makes the group anew on a stream that has lost it, or that is gone itself, behind what it had settled
   * when it was looked at last: a process that has died since then may have held anything younger.
   *
   * @returns True if the stream has lost entries that were read from it.
   */
  async heal({ stream, lastRead, settledUpTo }: StreamSource): Promise<boolean> {
    const known = laterId(lastRead, settledUpTo);
    const place = { stream, group: this.name, known };
    const isLost = await reportLoss(this.#call, this.#observe, place);
    if (!isLost) await this.#reportGap(stream, { settledUpTo, known });
    // A stream that begins anew may begin with any id.
    const from = isLost ? zeroId : settledUpTo;
    try {
      await this.#call('SADD', this.#names.streams, stream);
      if (this.open) await this.#call('SADD', this.#names.openGroups, this.name);
      await this.#call('XGROUP', 'CREATE', stream, this.name, from, 'MKSTREAM');
    } catch (error) {
      if (replyCodeOf(error) === 'BUSYGROUP') return isLost; // another process was quicker
      throw error;
    }
    this.#observe({
      kind: 'warning',
      code: 'GROUP_RECREATED',
      message: `group ${this.name} had vanished from ${stream} and goes on behind ${from}; what came after that may come again`,
    });
    return isLost;
  }

  /** Says so if a stream begins behind an entry that is known to have been in it: others have filled it anew. */
  async #reportGap(
    stream: string,
    { settledUpTo, known }: { settledUpTo: string; known: string },
  ): Promise<void> {
    const oldest = (await this.#call('XRANGE', stream, '-', '+', 'COUNT', 1)) as [id: string][];
    const begin = oldest[0]?.[0];
    if (known === zeroId || begin === undefined || compareIds(begin, known) <= 0) return;
    const range = { after: settledUpTo, until: idBefore(begin) };
    observeLoss(this.#observe, { stream, group: this.name, ...range });
  }
}

/**
 * Says so if a stream no longer has an entry that is known to have been in it.
 *
 * @returns True if that is so.
 */
export async function reportLoss(
  call: RedisCall,
  observe: Observer,
  { stream, group, known }: { stream: string; group: string | undefined; known: string },
): Promise<boolean> {
  const after = await lastIdOf(call, stream);
  if (compareIds(after, known) >= 0) return false;
  observeLoss(observe, { stream, group, after, until: known });
  return true;
}

/** Says that a stream no longer has what lies between two of its entries. */
export function observeLoss(
  observe: Observer,
  range: { stream: string; group: string | undefined; after: string; until: string },
): void {
  observe({ kind: 'lost', transport: redisTransport, reason: 'broker-lost-data', ...range });
}

/** The youngest id that a stream has given; zero if there is no such stream. */
export async function lastIdOf(call: RedisCall, stream: string): Promise<string> {
  try {
    const info = (await call('XINFO', 'STREAM', stream)) as unknown[];
    return String(info[info.indexOf('last-generated-id') + 1]);
  } catch (error) {
    if (replyCodeOf(error) === 'ERR') return zeroId; // no such key
    throw error;
  }
}

/** The id after which a group begins. */
function idOf(start: GroupStart): string {
  if (start === 'earliest') return '0';
  if (start === 'latest') return '$';
  return lastIdBefore(start.getTime());
}
