// Inputs 53 and 54: patterns of event types, and types that look like patterns.

import { EventPublisher, EventSubscriber, MemoryEventBus } from '@quickwms/events';
import { MemoryDeadLetterQueue } from '@waybill/core/memory';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { waitUntil } from '../../scripts/wait-until.ts';
import { expectRefusal, refusalOf } from './support/doors.ts';
import { messageOf, wireEvent } from './support/messages.ts';

const notPatterns = [
  'item.(a+)+$',
  '^item.*$',
  'item.[a-z]+',
  'item.?',
  'item|bid',
  '**',
  'item.**',
  'item.*x',
  '',
  '.item',
  'item..graded',
  'item.graded\n',
  'x'.repeat(10_000),
  '*.'.repeat(5_000),
];

describe('patterns of event types', () => {
  let bus: MemoryEventBus;
  let deadLetters: MemoryDeadLetterQueue;
  beforeEach(async () => {
    deadLetters = new MemoryDeadLetterQueue();
    bus = new MemoryEventBus({ serviceName: 'quickgradez', consumers: { deadLetters } });
    await bus.connect();
  });
  afterEach(() => bus.shutdown());

  it('53 refuses to publish a type that is a pattern', async () => {
    const publisher = new EventPublisher({ serviceName: 'quickintakez', eventBus: bus });
    for (const type of ['item.*', '*']) {
      expectRefusal(await refusalOf(() => publisher.publish({ type, data: {} })), {
        code: 'ENVELOPE_INVALID',
        details: { attribute: 'type' },
        says: /must be dotted segments/,
      });
    }
    expect((await bus.getStreamInfo('memory')).length).toBe(0);
  });

  it('53 takes a type that is a pattern for no other type, and makes a dead letter of it', async () => {
    const received: string[] = [];
    const good = wireEvent({ type: 'item.graded' });
    new EventSubscriber(bus)
      .on('item.graded', ({ id }) => void received.push(id))
      .on('item.*', ({ id }) => void received.push(`any ${id}`))
      .on('bid.placed', () => void received.push('wrong'));
    await bus.start();
    await bus.transport.publish([
      messageOf(JSON.stringify(wireEvent({ type: 'item.*' })), { type: 'item.*' }),
      messageOf(JSON.stringify(wireEvent({ type: '*' })), { type: '*' }),
      messageOf(JSON.stringify(good), { type: 'item.graded' }),
    ]);
    await waitUntil('the good one was handled', () => received.length === 2);
    expect(received).toEqual([good.id, `any ${good.id}`]);
    // Nobody asked for '*', so the second one is no failure of this group.
    expect(await deadLetters.list()).toMatchObject([
      { eventType: 'item.*', errorCode: 'ENVELOPE_INVALID' },
    ]);
  });

  it.each(notPatterns.map((pattern) => [pattern.slice(0, 20), pattern]))(
    '54 refuses the pattern %j',
    (_, pattern) => {
      const subscriber = new EventSubscriber(bus);
      for (const register of [
        () => subscriber.on(pattern, () => undefined),
        () => subscriber.onMultiple(['item.graded', pattern], () => undefined),
        () => subscriber.onDomain(`${pattern}.*`, () => undefined),
      ]) {
        expect(register).toThrow(TypeError);
        expect(register).toThrow(/^event type pattern .{0,200} must be dotted segments/);
      }
      expect(() => subscriber.onMultiple([], () => undefined)).toThrow(TypeError);
    },
  );

  it('54 matches the longest pattern there is against a type that almost fits', async () => {
    const received: string[] = [];
    const subscriber = new EventSubscriber(bus);
    subscriber.on(`${'*.'.repeat(127)}b`, ({ type }) => void received.push(type));
    subscriber.on('item.received', ({ type }) => void received.push(type));
    await subscriber.start();
    const publisher = new EventPublisher({ serviceName: 'quickintakez', eventBus: bus });
    await publisher.publish({ type: `${'a.'.repeat(127)}a`, data: {} });
    await publisher.publish({ type: `${'a.'.repeat(127)}b`, data: {} });
    await publisher.publish({ type: 'item.received', data: {} });
    await waitUntil('both were handled', () => received.length === 2);
    expect(received.toSorted()).toEqual([`${'a.'.repeat(127)}b`, 'item.received']);
  });
});
