import { describe, expect, it } from 'vitest';

import { raise, thrownBy } from '../../test/handlers.ts';
import { envelope } from '../../test/envelope.ts';
import { plainProfile } from './envelope.ts';
import { keyOf } from './ordering-key.ts';

const event = envelope({ subject: 'item-1' });

describe('the ordering key of an event', () => {
  it("is the profile's, else the subject, else the id", () => {
    const keyBy = (key: string | undefined) => ({ ...plainProfile, keyOf: () => key });
    expect(keyOf(event, keyBy('shelf-7'))).toBe('shelf-7');
    expect(keyOf(event, keyBy(undefined))).toBe('item-1');
    expect(keyOf(event, keyBy(''))).toBe('item-1');
    expect(keyOf(event, plainProfile)).toBe('item-1');
    expect(keyOf(envelope(), plainProfile)).toBe('event-1');
  });

  const cause = new TypeError('cannot read "shelf" of undefined');
  it.each([
    ['throws', () => raise(cause), 'threw: cannot read \\"shelf\\" of undefined', cause],
    ['throws no error', () => raise(undefined), 'threw: something that is no error', undefined],
    ['returns a number', () => 7, 'returned 7; it must return text or undefined', undefined],
    ['returns null', () => null, 'returned null; it must', undefined],
    ['has to wait', async () => 'shelf-7', 'returned an object; it must', undefined],
  ])('cannot be told where the rule of the profile %s', (_, rule, message, because) => {
    const profile = { name: 'odd', attributes: [], keyOf: rule as never };
    const refused = thrownBy(() => keyOf(event, profile));
    expect(refused).toMatchObject({
      code: 'PROFILE_FAILED',
      retryable: false,
      details: { profile: 'odd', part: 'keyOf', eventType: 'item.graded', eventId: 'event-1' },
    });
    expect((refused as Error).message).toContain(
      `item.graded event-1: keyOf of the profile "odd" ${message}`,
    );
    expect((refused as Error).cause).toBe(because);
  });
});
