import { describe, expect, it } from 'vitest';

import { EventError } from '../errors.ts';
import type { Message } from '../event/message.ts';
import { accepted, HeldKeys, positionsOf, publishSendable } from './publish-outcome.ts';

const away = new EventError('TRANSPORT_UNAVAILABLE', 'away', { transport: 'test' });

const message = (id: string, key: string, body = ''): Message => {
  return { id, type: 'item.graded', key, contentType: 'text/plain', body };
};
const half = '\ud83d';

describe('held keys', () => {
  it('hold back what comes behind a message that was not accepted, and no other key', () => {
    const held = new HeldKeys();
    expect(held.refusalOf(message('a1', 'a'))).toBeUndefined();
    held.note(message('a1', 'a'), { status: 'unknown', error: away });
    expect(held.isEmpty).toBe(false);
    expect(held.refusalOf(message('b1', 'b'))).toBeUndefined();
    expect(held.refusalOf(message('a2', 'a'))).toMatchObject({
      status: 'refused',
      error: {
        retryable: true,
        message: expect.stringMatching(/item.graded a2 .* item.graded a1/),
      },
    });
  });

  it('hold nothing back behind what was accepted', () => {
    const held = new HeldKeys();
    held.note(message('a1', 'a'), accepted('0'));
    expect(held.isEmpty).toBe(true);
    expect(held.refusalOf(message('a2', 'a'))).toBeUndefined();
  });
});

describe('publishing what may be sent', () => {
  it('sends all of it in one call, and puts the refusals between the answers', async () => {
    const calls: string[][] = [];
    const messages = [
      message('a1', 'a'),
      message('b1', 'b', half),
      message('c1', 'c'),
      message('b2', 'b'),
    ];
    const outcomes = await publishSendable(messages, async (sent) => {
      calls.push(sent.map(({ id }) => id));
      return sent.map(({ id }) => accepted(`at ${id}`));
    });
    expect(calls).toEqual([['a1', 'c1']]);
    expect(outcomes).toMatchObject([
      { status: 'accepted', position: 'at a1' },
      { status: 'refused', error: { code: 'MESSAGE_UNPARSEABLE' } },
      { status: 'accepted', position: 'at c1' },
      { status: 'refused', error: { retryable: true } },
    ]);
  });

  it('sends nothing where nothing may be sent', async () => {
    const send = (): Promise<never> => Promise.reject(new Error('sent'));
    await expect(publishSendable([message('b1', 'b', half)], send)).resolves.toHaveLength(1);
  });
});

it('positions are there for all, or else the error of the first that has none', () => {
  expect(positionsOf([accepted('1'), accepted('2')])).toEqual(['1', '2']);
  expect(() => positionsOf([accepted('1'), { status: 'refused', error: away }])).toThrow(away);
});
