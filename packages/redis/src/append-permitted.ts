import type { PublishOutcome } from '@waybill/core';
import { HeldKeys, type Message } from '@waybill/core/adapter';

import { AppendFailure, between, refused, type Appending } from './append-outcome.ts';
import type { AppendPlace } from './append-script.ts';
import { redisError, replyCodeOf } from './redis-errors.ts';
import { RedisScript, type RedisCall } from './redis-script.ts';

type Calls = readonly (readonly Message[])[];

/** Does nothing with a key; Redis looks at the rights for it all the same. `KEYS`: the key. */
const touch = new RedisScript<number>(`return 1`);

/**
 * Appends what the user has the rights for, after Redis has refused a script for want of them: it does so
 * if one of the keys is forbidden, and does not say which.
 *
 * @param append Appends calls as one step.
 * @returns What became of each message of each call: what is for a forbidden stream is refused. A failure of
 *   all if a key is forbidden that no message can do without.
 */
export async function appendPermitted(
  { call, names }: AppendPlace,
  { calls, marker }: { calls: Calls; marker: string | undefined },
  append: (calls: Calls) => Promise<readonly Appending[]>,
): Promise<readonly Appending[]> {
  const needed = [names.streams, names.openGroups];
  if (marker !== undefined) needed.push(names.marker);
  const streams = calls.flat().map(({ type }) => names.streamOf(type));
  const forbidden = await forbiddenKeys(call, [...new Set([...needed, ...streams])]);
  const missing = needed.find((key) => forbidden.has(key));
  if (missing !== undefined) {
    const error = redisError(forbidden.get(missing), `use the key ${missing}`);
    return calls.map(() => new AppendFailure(error, { mayBeAccepted: false }));
  }

  const refusals = calls.map((messages) =>
    refusalsOf(messages, (message) => {
      const answer = forbidden.get(names.streamOf(message.type));
      return answer && refused(message, answer, names);
    }),
  );
  const rest = calls.map((messages, at) =>
    messages.filter((_, index) => refusals[at]![index] === undefined),
  );
  const appended = await append(rest);
  return refusals.map((each, at) => between(each, appended[at]!));
}

/** @returns What Redis says of each key that the user may not use. */
async function forbiddenKeys(
  call: RedisCall,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Error>> {
  const forbidden = new Map<string, Error>();
  const touching = keys.map(async (key) => {
    try {
      await touch.run(call, [key], []);
    } catch (error) {
      if (replyCodeOf(error) !== 'NOPERM') throw error;
      forbidden.set(key, error as Error);
    }
  });
  await Promise.all(touching);
  return forbidden;
}

/** @returns A refusal for each message that is forbidden, or that waits behind one; nothing for the others. */
function refusalsOf(
  messages: readonly Message[],
  refusalOf: (message: Message) => PublishOutcome | undefined,
): (PublishOutcome | undefined)[] {
  const held = new HeldKeys();
  return messages.map((message) => {
    const waits = held.refusalOf(message);
    if (waits) return waits;
    const refusal = refusalOf(message);
    return refusal && held.note(message, refusal);
  });
}
