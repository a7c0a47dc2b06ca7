import type { Message } from '@waybill/core/adapter';
import { describe, expect, it } from 'vitest';

import { messageOf, messageParams, type MessageRow } from './message-columns.ts';

const message: Message = {
  id: 'e-1',
  type: 'order.placed',
  key: 'order-1',
  contentType: 'application/json',
  body: '{}',
};
const row: MessageRow = {
  key: 'order-1',
  event_id: 'e-1',
  event_type: 'order.placed',
  content_type: 'application/json',
  headers: null,
  body: '{}',
  body_bytes: null,
};

describe('the columns of a message', () => {
  it('hold no headers where there are none', () => {
    expect(messageParams([message, { ...message, headers: [] }])[4]).toEqual([null, null]);
    expect(messageOf(row)).toStrictEqual(message);
    expect(messageOf({ ...row, headers: [] })).toStrictEqual(message);
  });

  it('hold headers as JSON that people can read', () => {
    const headers = [['note', 'ü'] as const, ['note', Uint8Array.of(0, 255)] as const];
    const [text] = messageParams([{ ...message, headers }])[4]!;
    expect(text).toBe('[["note","ü"],["note",{"base64":"AP8="}]]');
    expect(messageOf({ ...row, headers: JSON.parse(text!) })).toEqual({ ...message, headers });
  });

  it('may hold headers as an older version has written them', () => {
    const older = { ...row, headers: { traceparent: '00-1', note: 'ü' } };
    expect(messageOf(older).headers).toEqual([
      ['traceparent', '00-1'],
      ['note', 'ü'],
    ]);
    expect(messageOf({ ...row, headers: {} })).toStrictEqual(message);
  });

  it('give what somebody else has put there as one header', () => {
    expect(messageOf({ ...row, headers: [7] }).headers).toEqual([['headers', '[7]']]);
  });
});
