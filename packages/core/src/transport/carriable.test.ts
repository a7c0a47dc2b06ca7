import { describe, expect, it } from 'vitest';

import type { Message } from '../event/message.ts';
import { assertCarriable } from './carriable.ts';

const message: Message = { id: 'e', type: 't', key: 'k', contentType: 'c', body: '{}' };

describe('what a transport carries', () => {
  it.each<[string, Partial<Message>]>([
    ['text of any kind', { body: '\0 🎁 \uFEFF' }],
    ['bytes that are no text', { body: Uint8Array.of(255) }],
    [
      'headers that repeat, of text and of bytes',
      {
        headers: [
          ['a', ''],
          ['a', Buffer.of(255)],
        ],
      },
    ],
  ])('is %s', (_, given) => {
    expect(() => assertCarriable({ ...message, ...given })).not.toThrow();
  });

  it.each<[string, Partial<Message>]>([
    ['key', { key: '\ud800' }],
    ['body', { body: 'a\udc00' }],
    [
      'header note',
      {
        headers: [
          ['note', 'fine'],
          ['note', '\ud800'],
        ],
      },
    ],
    [String.raw`header note\ud800`, { headers: [['note\ud800', '']] }],
  ])('is not half a surrogate pair, in its %s', (part, given) => {
    const says = `MESSAGE_UNPARSEABLE: t e: its ${part} holds half a surrogate pair`;
    expect(() => assertCarriable({ ...message, ...given })).toThrow(says);
  });
});
