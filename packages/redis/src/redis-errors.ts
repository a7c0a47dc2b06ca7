import { EventError } from '@waybill/core';

import { redisCodeOf } from './redis-codes.ts';

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

/** What is known of a failure by those who wrap it. */
export interface RedisFailure {
  /** The event that it went wrong with, if it is about one. */
  readonly eventId?: string;
  readonly eventType?: string;
  /** True of a connection that has been usable before: whatever keeps it from being so again is waited out. */
  readonly hasWorked?: boolean;
}

/** Wraps whatever went wrong between us and Redis; an `EventError` stays as it is. */
export function redisError(
  error: unknown,
  doing: string,
  { hasWorked = false, ...about }: RedisFailure = {},
): EventError {
  if (error instanceof EventError) return error;
  const { message: said, name } = error instanceof Error ? error : new Error(String(error));
  // Whoever does not know a command repeats its arguments, and AUTH is a command, too.
  const message = said.replace(/, with args beginning with:.*/s, '');
  const refusal = replyCodeOf(error);
  const known = redisCodeOf(refusal, message);
  const hint = known && known.code !== 'ERR' ? `; ${known.means}: ${known.advice}` : '';
  const words = `Redis could not ${doing}: ${message}${hint}`;
  // The driver's own error carries the command with all its arguments, passwords and payloads among them.
  const cause = Object.assign(new Error(message), { name });
  if (known?.kind === 'access') {
    const details = { server: 'redis', refusal, ...about };
    return new EventError('ACCESS_REFUSED', words, details, { cause, retryable: hasWorked });
  }
  const retryable = hasWorked || known?.kind !== 'lasting';
  const details = { transport: 'redis', ...about };
  return new EventError('TRANSPORT_UNAVAILABLE', words, details, { cause, retryable });
}
