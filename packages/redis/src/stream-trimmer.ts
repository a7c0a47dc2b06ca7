import type { Observer } from '@waybill/core';

import { RedisScript, type RedisCall } from './redis-script.ts';
import { redisTransport } from './stream-delivery.ts';

/** A dropped entry: entry id, event id, event type, then the groups that still needed it. */
type Dropped = readonly [entryId: string, eventId: string, eventType: string, ...groups: string[]];

/**
 * Shortens a stream.
 *
 * The first id that some group still needs is the oldest one pending, or else the one behind the last it was
 * given. What lies before the first one of all groups is settled by everybody and may go, as far as the
 * stream is longer than wanted. Beyond the cap, if there is one, the oldest go whoever needs them.
 *
 * `KEYS`: stream. `ARGV`: wanted length or 0, cap or 0, most entries in one step.
 *
 * @returns How many went; 1 if more could go; the group that holds the rest back, or nothing; what was dropped.
 */
const trim = new RedisScript<readonly [number, number, string, Dropped[]]>(`
local wanted, cap, step = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local function parts(id)
  local time, sequence = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(time), tonumber(sequence)
end
local function isBefore(a, b)
  local aTime, aSequence = parts(a)
  local bTime, bSequence = parts(b)
  return aTime < bTime or (aTime == bTime and aSequence < bSequence)
end
local function behind(id)
  local time, sequence = string.match(id, '^(%d+)-(%d+)$')
  return time .. '-' .. string.format('%.0f', tonumber(sequence) + 1)
end
local length = redis.call('XLEN', KEYS[1])
local removed, more, holder, dropped = 0, 0, '', {}
if (wanted == 0 or length <= wanted) and (cap == 0 or length <= cap) then
  return { 0, 0, '', {} }
end
local groups, floor = {}, nil
for _, info in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for at = 1, #info, 2 do group[info[at]] = info[at + 1] end
  groups[#groups + 1] = group
  local needed = behind(group['last-delivered-id'])
  if group.pending > 0 then
    local oldest = redis.call('XPENDING', KEYS[1], group.name)[2]
    if isBefore(oldest, needed) then needed = oldest end
  end
  if not floor or isBefore(needed, floor) then
    floor = needed
    holder = group.name
  end
end
if wanted > 0 and length > wanted then
  local excess = math.min(length - wanted, step)
  local entries = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', excess + 1)
  local upTo = entries[excess + 1][1]
  if not floor or not isBefore(floor, upTo) then
    holder = ''
    more = length - wanted > step and 1 or 0
  else
    upTo = floor
  end
  removed = redis.call('XTRIM', KEYS[1], 'MINID', '=', upTo)
  length = length - removed
end
if cap > 0 and length > cap then
  local excess = math.min(length - cap, step)
  local entries = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', excess + 1)
  for at = 1, excess do
    local id, fields = entries[at][1], entries[at][2]
    local loss = { id, '', '' }
    for name = 1, #fields, 2 do
      if fields[name] == 'id' then loss[2] = fields[name + 1] end
      if fields[name] == 'type' then loss[3] = fields[name + 1] end
    end
    for _, group in ipairs(groups) do
      if isBefore(group['last-delivered-id'], id) then
        loss[#loss + 1] = group.name
      elseif group.pending > 0 and redis.call('XACK', KEYS[1], group.name, id) == 1 then
        loss[#loss + 1] = group.name
      end
    end
    if #loss > 3 then dropped[#dropped + 1] = loss end
  end
  removed = removed + redis.call('XTRIM', KEYS[1], 'MINID', '=', entries[excess + 1][1])
  if length - cap > step then more = 1 end
end
return { removed, more, holder, dropped }`);

/** Most entries in one step: Redis serves nobody else meanwhile. */
const stepLength = 500;

export interface StreamTrimmerOptions {
  readonly call: RedisCall;
  readonly observe: Observer;
  readonly maxLength: number | undefined;
  readonly lossyMaxLength: number | undefined;
}

/** Keeps streams about as long as wanted, without taking from a group what it still needs. */
export class StreamTrimmer {
  readonly #options: StreamTrimmerOptions;
  /** Who holds a stream back, so that it is said once. */
  readonly #heldBackBy = new Map<string, string>();
  readonly #underWay = new Set<Promise<unknown>>();
  #closed = false;

  constructor(options: StreamTrimmerOptions) {
    this.#options = options;
  }

  /** @returns How many entries went. */
  async trim(stream: string): Promise<number> {
    let total = 0;
    let more = true;
    while (more && !this.#closed) {
      const step = this.#step(stream);
      this.#underWay.add(step);
      const { removed, hasMore } = await step.finally(() => this.#underWay.delete(step));
      total += removed;
      more = hasMore;
    }
    return total;
  }

  /** Begins nothing more. Resolves when all that was dropped is reported. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
  }

  async #step(stream: string): Promise<{ removed: number; hasMore: boolean }> {
    const { call, maxLength = 0, lossyMaxLength = 0 } = this.#options;
    const args = [maxLength, lossyMaxLength, stepLength];
    const [removed, more, holder, dropped] = await trim.run(call, [stream], args);
    this.#reportDropped(stream, dropped);
    const hasMore = more === 1;
    if (!hasMore) this.#reportHeldBack(stream, holder);
    return { removed, hasMore };
  }

  #reportDropped(stream: string, dropped: readonly Dropped[]): void {
    for (const [until, eventId, eventType, ...groups] of dropped) {
      for (const group of groups) {
        this.#options.observe({
          kind: 'lost',
          transport: redisTransport,
          stream,
          group,
          reason: 'dropped',
          until,
          eventId,
          eventType,
        });
      }
    }
  }

  #reportHeldBack(stream: string, holder: string): void {
    const before = this.#heldBackBy.get(stream) ?? '';
    this.#heldBackBy.set(stream, holder);
    if (holder === '' || holder === before) return;
    this.#options.observe({
      kind: 'warning',
      code: 'TRIM_HELD_BACK',
      message: `${stream} is longer than ${this.#options.maxLength} messages and cannot be trimmed, because group ${holder} has not settled them. If nobody consumes for it any more, remove it: XGROUP DESTROY ${stream} ${holder}`,
    });
  }
}
