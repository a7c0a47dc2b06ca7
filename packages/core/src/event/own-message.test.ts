import { describe, expect, it } from 'vitest';

import type { Message } from './message.ts';
import { ownMessage } from './own-message.ts';

const plain: Message = { id: 'e', type: 't', key: 'k', contentType: 'c', body: '{}' };

describe('a message of its own', () => {
  it('is the very message where nothing of it can change', () => {
    expect(ownMessage(plain)).toBe(plain);
  });

  it('has bytes of its own, in its body and in its headers', () => {
    const body = Uint8Array.of(1);
    const value = Uint8Array.of(2);
    const own = ownMessage({ ...plain, body, headers: [['note', value]] });
    body.fill(9);
    value.fill(9);
    expect(own).toEqual({
      ...plain,
      body: Uint8Array.of(1),
      headers: [['note', Uint8Array.of(2)]],
    });
  });

  it('leaves out headers that are none', () => {
    expect(ownMessage({ ...plain, headers: [] })).toStrictEqual(plain);
  });
});
