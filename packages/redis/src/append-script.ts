import { destinationChanged, type Message } from '@waybill/core/adapter';

import type { RedisArgument } from './redis-like.ts';
import { RedisScript, type RedisCall } from './redis-script.ts';
import { registerStream } from './register-stream.ts';
import { fieldsOf, isPlain } from './stream-entry.ts';
import type { StreamNames } from './stream-names.ts';

/** What became of messages: for each its id, or why it was refused. */
export interface Appended {
  /**
   * In the order given; what does not begin with a digit is the reason of a refusal, or `heldBack`.
   */
  readonly ids: readonly string[];
  /** Each stream that was empty, and the youngest entry that it had given. */
  readonly empty: readonly (readonly [stream: string, lastId: string])[];
  /** By stream, the youngest entry that was put into it. */
  readonly youngest: ReadonlyMap<string, string>;
}

/** Stands for a message that was not tried, since one of its key was refused. */
export const heldBack = 'held back';

/**
 * Appends the messages of several calls, if the server bears the mark that they expect. Within a call,
 * nothing of a key is accepted behind what was refused of it.
 *
 * `KEYS`: set of streams, set of open groups, the streams, then the mark, if one is expected. `ARGV`: the mark
 * that is expected, or nothing; then runs of messages of one type, since every argument costs time on both
 * sides: how many they are, number of the stream among the keys, type, and which calls they are (`each` is one
 * of its own, `first` ones of a call, or `more` of the same); then id, key and event of each. With an empty
 * type, each has its number of names and values, and those.
 *
 * @returns Ids with spaces between, or, if any was refused, a list of ids and reasons; each stream that was
 *   empty, and the youngest entry that it had given. If the mark is another one, nothing, and that mark.
 */
const append = new RedisScript<
  | readonly [ids: string | string[], empty: [stream: string, lastId: string][]]
  | readonly [ids: null, mark: string | null]
>(`
${registerStream}
local argv, last = ARGV, #KEYS
if argv[1] ~= '' then
  local mark = redis.call('GET', KEYS[last])
  if mark ~= argv[1] then return { false, mark } end
  last = last - 1
end
local empty = {}
local function noteEmpty(stream)
  local info = redis.pcall('XINFO', 'STREAM', stream)
  if info.err then
    -- One that is not there has given nothing; of one that may not be looked into, nothing is known.
    if string.find(info.err, 'no such key') then empty[#empty + 1] = { stream, '0-0' } end
    return
  end
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then empty[#empty + 1] = { stream, info[at + 1] } end
  end
end
for at = 3, last do
  if redis.pcall('XLEN', KEYS[at]) == 0 then noteEmpty(KEYS[at]) end
  register(KEYS[1], KEYS[2], KEYS[at])
end
local at, ids, held, all = 2, {}, nil, true
local function add(key, stream, ...)
  if held and held[key] then
    ids[#ids + 1] = '${heldBack}'
    return
  end
  local id = redis.pcall('XADD', stream, '*', ...)
  if type(id) == 'table' then
    id, all = id.err, false
    held = held or {}
    held[key] = true
  end
  ids[#ids + 1] = id
end
while argv[at] do
  local stream, type, calls = KEYS[argv[at + 1] + 2], argv[at + 2], argv[at + 3]
  if calls == 'first' then held = nil end
  local count = tonumber(argv[at])
  at = at + 4
  for _ = 1, count do
    if calls == 'each' then held = nil end
    if type == '' then
      add(argv[at + 6], stream, unpack(argv, at + 1, at + argv[at]))
      at = at + 1 + argv[at]
    else
      add(argv[at + 1], stream, 'id', argv[at], 'type', type, 'key', argv[at + 1], 'event', argv[at + 2])
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

/** Where messages are appended. */
export interface AppendPlace {
  readonly call: RedisCall;
  readonly names: StreamNames;
  /** What people call it. */
  readonly destination: string;
}

/**
 * Appends the messages of several calls, as one step.
 *
 * @param marker The mark that all of them expect, if any.
 * @throws What Redis answered, if it refused all; {EventError} `DESTINATION_CHANGED`
 */
export async function appendAll(
  { call, names, destination }: AppendPlace,
  calls: readonly (readonly Message[])[],
  marker: string | undefined,
): Promise<Appended> {
  const runs = runsOf(calls, names);
  const streams = [...new Set(runs.map(({ stream }) => stream))];
  const args: RedisArgument[] = [marker ?? ''];
  for (const run of runs) {
    args.push(run.count, streams.indexOf(run.stream) + 1, run.type, run.calls);
    for (const arg of run.args) args.push(arg);
  }
  const keys = [names.streams, names.openGroups, ...streams];
  if (marker !== undefined) keys.push(names.marker);
  const [found, more] = await append.run(call, keys, args);
  if (found === null) throw destinationChanged(destination, marker ?? '', more);
  const ids = typeof found === 'string' ? found.split(' ') : found;
  return { ids, empty: more, youngest: youngestOf(runs, ids) };
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
