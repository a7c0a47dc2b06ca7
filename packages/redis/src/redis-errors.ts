import { EventError } from '@waybill/core';

/** Refusals that no repetition changes: somebody has to mend something first. */
const lasting = new Set(['ERR', 'NOAUTH', 'NOPERM', 'WRONGPASS', 'WRONGTYPE']);

const advice: Readonly<Record<string, string>> = {
  OOM: 'it is full: raise maxmemory, or let consumers catch up so that their streams can be trimmed',
  MISCONF: 'it cannot write to its disk',
  READONLY: 'it is a replica: connect to the primary',
  LOADING: 'it is still loading its data',
  NOAUTH: 'give the password',
  WRONGPASS: 'the user name or password is wrong',
  NOPERM: 'the user may not do this; see the ACL in the guide',
  WRONGTYPE: 'a key of this name holds something else; choose another prefix',
};

/** What a script is told of a command that its user has no right for; it begins with no code of its own. */
const missingRight = /The user executing the script can't|ACL failure in script/;

/** The first word of what Redis answered, such as `NOGROUP`; empty for what is no answer of Redis. */
export function replyCodeOf(error: unknown): string {
  if (!isReply(error)) return '';
  const { message } = error;
  if (missingRight.test(message)) return 'NOPERM';
  // Redis 6.2 wraps what a command within a script was refused with.
  return (/@user_script: ?\d+: -?([A-Z]+) /.exec(message) ?? /^([A-Z]+)/.exec(message))?.[1] ?? '';
}

/** Says whether this is an answer of Redis: then what was asked is not done. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Says whether Redis refused a command for its key or for its size, so that it may take the next one. */
export function refusesOne(error: unknown): boolean {
  const code = replyCodeOf(error);
  // A right may be missing for the command as well, and so for every key.
  if (code === 'NOPERM') return /\bkeys?\b/.test((error as Error).message);
  return code === 'WRONGTYPE' || code === 'ERR';
}

/**
 * Wraps whatever went wrong between us and Redis; an `EventError` stays as it is.
 *
 * @param about The event that it went wrong with, if it is about one.
 */
export function redisError(
  error: unknown,
  doing: string,
  about: { readonly eventId?: string; readonly eventType?: string } = {},
): EventError {
  if (error instanceof EventError) return error;
  const { message: said, name } = error instanceof Error ? error : new Error(String(error));
  // Whoever does not know a command repeats its arguments, and AUTH is a command, too.
  const message = said.replace(/, with args beginning with:.*/s, '');
  const code = replyCodeOf(error);
  const hint = advice[code] ? `; ${advice[code]}` : '';
  // The driver's own error carries the command with all its arguments, passwords and payloads among them.
  const cause = Object.assign(new Error(message), { name });
  return new EventError(
    'TRANSPORT_UNAVAILABLE',
    `Redis could not ${doing}: ${message}${hint}`,
    { transport: 'redis', ...about },
    { cause, retryable: !lasting.has(code) },
  );
}
