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

/** The first word of what Redis answered, such as `NOGROUP`; empty for what is no answer of Redis. */
export function replyCodeOf(error: unknown): string {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return '';
  const { message } = error;
  // Redis 6.2 wraps what a command within a script was refused with.
  return (/@user_script: ?\d+: -?([A-Z]+) /.exec(message) ?? /^([A-Z]+)/.exec(message))?.[1] ?? '';
}

/** Wraps whatever went wrong between us and Redis; an `EventError` stays as it is. */
export function redisError(error: unknown, doing: string): EventError {
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
    { transport: 'redis' },
    { cause, retryable: !lasting.has(code) },
  );
}
