import assert from 'node:assert/strict';

import type { Delivery } from '../../transport/transport.ts';
import type { Header, Message } from '../../event/message.ts';

/** Fails unless a message came as it was sent, header by header; the body is compared as bytes. */
export function assertSameMessage(actual: Message, sent: Message): void {
  const { id, type, key, contentType } = sent;
  const got = {
    id: actual.id,
    type: actual.type,
    key: actual.key,
    contentType: actual.contentType,
  };
  assert.deepEqual(got, { id, type, key, contentType });
  assert.deepEqual(shown(actual.headers), shown(sent.headers), `headers of ${id}`);
  assert.deepEqual(Buffer.from(actual.body), Buffer.from(sent.body), `body of ${id}`);
}

/** Headers in a form that tells text from bytes, and bytes from others, whatever class they have. */
function shown(headers: readonly Header[] = []): unknown[] {
  return headers.map(([name, value]) => [
    name,
    typeof value === 'string' ? value : { bytes: Buffer.from(value).toString('hex') },
  ]);
}

/** Fails unless exactly these messages came, once each. */
export function assertOnceEach(deliveries: readonly Delivery[], sent: readonly Message[]): void {
  const counts = new Map<string, number>(sent.map(({ id }) => [id, 0]));
  const unexpected: string[] = [];
  for (const { message } of deliveries) {
    const count = counts.get(message.id);
    if (count === undefined) unexpected.push(message.id);
    else counts.set(message.id, count + 1);
  }
  const missing = [...counts].filter(([, count]) => count === 0).map(([id]) => id);
  const repeated = [...counts].filter(([, count]) => count > 1).map(([id]) => id);
  const wrong = { missing, repeated, unexpected };
  assert.deepEqual(wrong, { missing: [], repeated: [], unexpected: [] });
}

/** Fails if a message came for the first time after a later one of its key. */
export function assertKeyOrder(deliveries: readonly Delivery[], sent: readonly Message[]): void {
  const numberOf = new Map(sent.map(({ id }, index) => [id, index]));
  const lastOfKey = new Map<string, number>();
  const seen = new Set<string>();
  for (const { message } of deliveries) {
    if (seen.has(message.id)) continue;
    seen.add(message.id);
    const number = numberOf.get(message.id)!;
    const last = lastOfKey.get(message.key) ?? -1;
    assert.ok(number > last, `${message.key}: message ${number} came after message ${last}`);
    lastOfKey.set(message.key, number);
  }
}
