import { EventError } from '@waybill/core';
import { describe, expect, it } from 'vitest';

import { redisError, refusesOne, replyCodeOf } from './redis-errors.ts';

/** An error as ioredis makes it of what Redis answered. */
function reply(message: string, command: object = {}): Error {
  return Object.assign(new Error(message), { name: 'ReplyError', command });
}

describe('errors of Redis', () => {
  it.each([
    ['NOGROUP No such key', 'NOGROUP'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'WRONGTYPE'],
    ['ERR Error running script (call to f_0a1): @user_script:7: -OOM command not allowed', 'OOM'],
    ['ERR user_script:9: NOPERM this user has no permissions', 'ERR'],
    [
      'ERR Error running script (call to f_0a1): @user_script: 12: WRONGTYPE Operation against',
      'WRONGTYPE',
    ],
    [
      "ERR Error running script (call to f_0a1): @user_script:1: @user_script: 1: The user executing the script can't run this command or subcommand",
      'NOPERM',
    ],
    ["ERR ACL failure in script: User dock has no permissions to run the 'xadd' command", 'NOPERM'],
    ['no code at all', ''],
    ['', ''],
  ])('have a code: %s', (message, code) => {
    expect(replyCodeOf(reply(message))).toBe(code);
  });

  it.each([new Error('NOGROUP of another making'), 'NOGROUP', undefined, null])(
    'have none if they are no answer of Redis: %s',
    (error) => {
      expect(replyCodeOf(error)).toBe('');
    },
  );

  it.each([
    ['WRONGTYPE Operation against a key holding the wrong kind of value', true],
    ['ERR Elements are too large to be stored', true],
    ['NOPERM No permissions to access a key', true],
    ['NOPERM this user has no permissions to access one of the keys used as arguments', true],
    ['ERR ACL failure in script: No permissions to access a key', true],
    ["NOPERM this user has no permissions to run the 'evalsha' command", false],
    ["ERR ACL failure in script: User dock has no permissions to run the 'xadd' command", false],
    ["@user_script: 1: The user executing the script can't run this command or subcommand", false],
    ["OOM command not allowed when used memory > 'maxmemory'.", false],
    ["READONLY You can't write against a read only replica.", false],
  ])('say whether they are about one message alone: %s', (message, isSo) => {
    expect(refusesOne(reply(message))).toBe(isSo);
  });

  it.each([
    ['ECONNRESET', true],
    ['OOM command not allowed', true],
    ['LOADING Redis is loading', true],
    ['READONLY You can’t write', true],
    ['MISCONF Redis is configured', true],
    ['WRONGTYPE Operation against', false],
    ['ERR unknown command', false],
    ['ERR max number of clients reached', true],
  ])('say whether trying again helps: %s', (message, retryable) => {
    expect(redisError(reply(message), 'take messages')).toMatchObject({
      code: 'TRANSPORT_UNAVAILABLE',
      retryable,
      details: { transport: 'redis' },
    });
  });

  it.each([
    ['NOAUTH Authentication required.', 'NOAUTH'],
    ['WRONGPASS invalid username-password pair', 'WRONGPASS'],
    ['NOPERM this user has no permissions', 'NOPERM'],
  ])(
    'say whether access was refused, which lasts unless it was granted before: %s',
    (said, code) => {
      const refused = { code: 'ACCESS_REFUSED', details: { server: 'redis', refusal: code } };
      expect(redisError(reply(said), 'be reached')).toMatchObject({ ...refused, retryable: false });
      const later = redisError(reply(said), 'be reached', { hasWorked: true });
      expect(later).toMatchObject({ ...refused, retryable: true });
    },
  );

  it('say what could not be done, what Redis said, and what helps', () => {
    const { message } = redisError(reply('OOM command not allowed'), 'take messages');
    expect(message).toBe(
      'TRANSPORT_UNAVAILABLE: Redis could not take messages: OOM command not allowed; it is full: raise maxmemory, or let consumers catch up so that their streams can be trimmed',
    );
  });

  it('leave out the command and its arguments, wherever they are', () => {
    const refused = reply(
      "ERR unknown command 'AUTH', with args beginning with: 'dock' 'p@ssw0rd' ",
      { name: 'auth', args: ['dock', 'p@ssw0rd'] },
    );
    const error = redisError(refused, 'be reached');
    expect(error.message).toMatch(/ERR unknown command 'AUTH'$/);
    expect(error.cause).toMatchObject({
      name: 'ReplyError',
      message: "ERR unknown command 'AUTH'",
    });
    const everything = [error, error.cause].map((each) =>
      JSON.stringify(each, [...Object.getOwnPropertyNames(each), 'name']),
    );
    expect(everything.join()).not.toContain('p@ssw0rd');
  });

  it('stay as they are if they are ours, and take anything else that is thrown', () => {
    const ours = new EventError('NOT_CONNECTED', 'closed', { what: 'redis' });
    expect(redisError(ours, 'be reached')).toBe(ours);
    expect(redisError('a text', 'be reached').message).toMatch(/could not be reached: a text$/);
    expect(redisError(undefined, 'be reached').message).toMatch(/could not be reached: undefined$/);
  });
});
