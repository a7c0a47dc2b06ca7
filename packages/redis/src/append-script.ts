import type { Message } from '@waybill/core/adapter';

import type { RedisArgument } from './redis-like.ts';
import { RedisScript, type RedisCall } from './redis-script.ts';
import { registerStream } from './register-stream.ts';
import { fieldsOf, isPlain } from './stream-entry.ts';
import type { StreamNames } from './stream-names.ts';

/** What became of messages: for each its id, or why it was refused. */
export interface Appended {
  /** In the order given; what does not begin with a digit is the reason of a refusal. */
  readonly ids: readonly string[];
  /** Each stream that was empty, and the youngest entry that it had given. */
  readonly empty: readonly (readonly [stream: string, lastId: string])[];
  /** By stream, the youngest entry that was put into it. */
  readonly youngest: ReadonlyMap<string, string>;
}

/**
 * Appends the messages of several calls. Within a call, nothing is accepted behind what was refused.
 *
 * `KEYS`: set of streams, set of open groups, then the streams. `ARGV`: runs of messages of one type, since
 * every argument costs time on both sides: how many they are, number of the stream among the keys, type, and
 * which calls they are (`each` is one of its own, `first` ones of a call, or `more` of the same); then id, key
 * and event of each. With an empty type, each has its number of names and values, and those.
 *
 * @returns Ids with spaces between, or, if any was refused, a list of ids and reasons; each stream that was
 *   empty, and the youngest entry that it had given.
 */
const append = new RedisScript<
  readonly [ids: string | string[], empty: [stream: string, lastId: string][]]
>(`
${registerStream}
local function lastIdOf(stream)
  local info = redis.pcall('XINFO', 'STREAM', stream)
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then return info[at + 1] end
  end
  return '0-0'
end
local empty = {}
for at = 3, #KEYS do
  local length = redis.pcall('XLEN', KEYS[at])
  if length == 0 then empty[#empty + 1] = { KEYS[at], lastIdOf(KEYS[at]) } end
  register(KEYS[1], KEYS[2], KEYS[at])
end
local argv, at, ids, refused, all = ARGV, 1, {}, nil, true
local function add(stream, ...)
  local id = refused or redis.pcall('XADD', stream, '*', ...)
  if type(id) == 'table' then
    refused, all = id.err, false
    id = refused
  end
  ids[#ids + 1] = id
end
while argv[at] do
  local stream, type, calls = KEYS[argv[at + 1] + 2], argv[at + 2], argv[at + 3]
  if calls == 'first' then refused = nil end
  local count = tonumber(argv[at])
  at = at + 4
  for _ = 1, count do
    if calls == 'each' then refused = nil end
    if type == '' then
      add(stream, unpack(argv, at + 1, at + argv[at]))
      at = at + 1 + argv[at]
    else
      add(stream, 'id', argv[at], 'type', type, 'key', argv[at + 1], 'event', argv[at + 2])
      at = at + 3
    end
  end
end
if all then ids = table.concat(ids, ' ') end
return { ids, empty }`);

type Calls = 'each' | 'first' | 'more';

interface Run {
  readonly stream: string;
  readonly type: string;
  readonly calls: Calls;
  readonly args: RedisArgument[];
  count: number;
}

/** Appends the messages of several calls, as one step. @throws What Redis answered, if it refused all. */
export async function appendAll(
  call: RedisCall,
  names: StreamNames,
  calls: readonly (readonly Message[])[],
): Promise<Appended> {
  const runs = runsOf(calls, names);
  const streams = [...new Set(runs.map(({ stream }) => stream))];
  const args: RedisArgument[] = [];
  for (const run of runs) {
    args.push(run.count, streams.indexOf(run.stream) + 1, run.type, run.calls);
    for (const arg of run.args) args.push(arg);
  }
  const [found, empty] = await append.run(
    call,
    [names.streams, names.openGroups, ...streams],
    args,
  );
  const ids = typeof found === 'string' ? found.split(' ') : found;
  return { ids, empty, youngest: youngestOf(runs, ids) };
}

/** Says whether this is the id of an entry, rather than a reason. */
export function isAccepted(id: string): boolean {
  const first = id.charCodeAt(0);
  return first >= 48 && first <= 57;
}

function runsOf(calls: readonly (readonly Message[])[], names: StreamNames): Run[] {
  const runs: Run[] = [];
  let run: Run | undefined;
  for (const messages of calls) {
    for (let index = 0; index < messages.length; index += 1) {
      const message = messages[index]!;
      const plain = isPlain(message);
      const type = plain ? message.type : '';
      const place: Calls = messages.length === 1 ? 'each' : index === 0 ? 'first' : 'more';
      const goesOn = place === 'more' || (place === 'each' && run?.calls === 'each');
      if (!run || !goesOn || run.type !== type || type === '') {
        run = { stream: names.streamOf(message.type), type, calls: place, args: [], count: 0 };
        runs.push(run);
      }
      run.count += 1;
      if (plain) run.args.push(message.id, message.key, message.body as string);
      else {
        const fields = fieldsOf(message);
        run.args.push(fields.length, ...fields);
      }
    }
  }
  return runs;
}

function youngestOf(runs: readonly Run[], ids: readonly string[]): Map<string, string> {
  const youngest = new Map<string, string>();
  let at = 0;
  for (const { stream, count } of runs) {
    const accepted = ids.slice(at, at + count).findLast(isAccepted);
    if (accepted !== undefined) youngest.set(stream, accepted);
    at += count;
  }
  return youngest;
}
