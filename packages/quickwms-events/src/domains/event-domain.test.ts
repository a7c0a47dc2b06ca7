import { describe, expect, it } from 'vitest';
import { getEventDomain, getStreamKeyForEvent } from './event-domain.ts';

describe('getEventDomain', () => {
  it.each([
    ['item.graded', 'item'],
    ['item.assigned_to_pallet', 'item'],
    ['item.*', 'item'],
    ['saga.OrderFulfillment.started', 'saga'],
    ['heartbeat', 'heartbeat'],
  ])('of %s is %s', (eventType, domain) => {
    expect(getEventDomain(eventType)).toBe(domain);
  });

  it.each(['', '.graded'])('refuses %j, which names no domain', (eventType) => {
    expect(() => getEventDomain(eventType)).toThrow(TypeError);
  });
});

describe('getStreamKeyForEvent', () => {
  it('puts the usual prefix before the domain', () => {
    expect(getStreamKeyForEvent('item.graded')).toBe('quickwms:events:item');
  });

  it('takes another prefix as it is, separator included', () => {
    expect(getStreamKeyForEvent('order.shipped', 'staging/')).toBe('staging/order');
    expect(getStreamKeyForEvent('order.shipped', '')).toBe('order');
  });

  it('refuses a type that names no domain, which would share one stream', () => {
    expect(() => getStreamKeyForEvent('')).toThrow('must begin with a domain');
  });
});
