import { isEventError, type Observation } from '@waybill/core';
import { describe, expect, it } from 'vitest';

import { MemoryEventBus } from '../bus/index.ts';
import { InboundEvents, ProcessingEvents } from '../domains/index.ts';
import type { EventEnvelope } from '../types/index.ts';
import { EventPublisher, type EventPublisherConfig } from './event-publisher.ts';

function publisherOnMemory(config: Partial<EventPublisherConfig> = {}): {
  publisher: EventPublisher;
  published: EventEnvelope[];
  warnings: string[];
} {
  const bus = new MemoryEventBus({ serviceName: 'quickintakez' });
  const published: EventEnvelope[] = [];
  const warnings: string[] = [];
  bus.on('published', ({ event }) => published.push(event as EventEnvelope));
  const observer = (seen: Observation): void => {
    if (seen.kind === 'warning') warnings.push(seen.code);
  };
  const publisher = new EventPublisher({
    serviceName: 'quickintakez',
    eventBus: bus,
    observer,
    ...config,
  });
  return { publisher, published, warnings };
}

const received = {
  type: InboundEvents.ITEM_RECEIVED,
  qlid: '123456789',
  subject: 'item-1',
  userId: 'user-1',
  data: { itemId: 'item-1', qlid: '123456789', manifestId: 'manifest-1', sku: 'ABC' },
};

describe('EventPublisher', () => {
  it('completes an event by CloudEvents and by the profile', async () => {
    const { publisher, published } = publisherOnMemory();
    const event = await publisher.publish(received);
    expect(event).toMatchObject({
      ...received,
      source: 'quickintakez',
      specversion: '1.0',
      version: 1,
    });
    expect(event.correlationId).toBe(event.id);
    expect(published).toHaveLength(1);
  });

  it('links a correlated event to its parent', async () => {
    const { publisher } = publisherOnMemory();
    const parent = await publisher.publish({ ...received, userId: 'ada' });
    const task = { type: ProcessingEvents.GRADING_TASK_CREATED, data: { taskId: 'task-1' } };
    const links = { correlationId: parent.correlationId, causationId: parent.id };
    expect(await publisher.publishCorrelated(task, parent)).toMatchObject({
      ...links,
      userId: 'ada',
    });
    expect(await publisher.publishCorrelated({ ...task, userId: 'bob' }, parent)).toMatchObject({
      ...links,
      userId: 'bob',
    });
  });

  it('sets subject and ids of item and order events, and lets the data win', async () => {
    const { publisher } = publisherOnMemory();
    const item = await publisher.publishItemEvent('item.received', '123456789', 'item-1', {
      sku: 'ABC',
    });
    expect(item).toMatchObject({
      qlid: '123456789',
      subject: 'item-1',
      data: { itemId: 'item-1', qlid: '123456789', sku: 'ABC' },
    });
    const order = await publisher.publishOrderEvent('order.created', 'order-1', {
      orderId: 'other',
    });
    expect(order).toMatchObject({ subject: 'order-1', data: { orderId: 'other' } });
  });

  it('warns once per type of missing key data, and goes on', async () => {
    const { publisher, published, warnings } = publisherOnMemory();
    for (let times = 0; times < 2; times += 1) {
      await publisher.publish({
        ...received,
        data: { itemId: 'item-1', qlid: '123456789', sku: 'ABC' },
      });
    }
    expect(warnings).toEqual(['KEY_DATA_MISSING']);
    expect(published).toHaveLength(2);
  });

  it('refuses data of the wrong type, and with strict also missing key data and unknown types', async () => {
    const wrong = { ...received, data: { ...received.data, sku: 7 as unknown as string } };
    await expect(publisherOnMemory().publisher.publish(wrong)).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
    });
    const { publisher } = publisherOnMemory({ strict: true });
    await expect(publisher.publish({ ...received, data: {} })).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
    });
    await expect(publisher.publish({ type: 'item.pondered', data: {} })).rejects.toMatchObject({
      code: 'TYPE_UNKNOWN',
    });
  });

  it('names what is legal but unwise once, unless it is silenced', async () => {
    const { publisher, warnings } = publisherOnMemory();
    await publisher.publish({ type: 'item.receive', data: {} });
    expect(warnings.toSorted()).toEqual([
      'QLID_MISSING',
      'TYPE_NOT_IN_CATALOGUE',
      'TYPE_NOT_PAST_TENSE',
      'USER_MISSING',
    ]);
    const quiet = publisherOnMemory({
      silence: ['QLID_MISSING', 'TYPE_NOT_IN_CATALOGUE', 'TYPE_NOT_PAST_TENSE', 'USER_MISSING'],
    });
    await quiet.publisher.publish({ type: 'item.receive', data: {} });
    expect(quiet.warnings).toEqual([]);
  });

  it('refuses a qlid that is not nine digits', async () => {
    const { publisher } = publisherOnMemory();
    await expect(publisher.publish({ ...received, qlid: '12345678' })).rejects.toMatchObject({
      code: 'ENVELOPE_INVALID',
      details: { attribute: 'qlid' },
    });
  });

  it('publishes the good events of a batch and gives each its outcome', async () => {
    const { publisher, published } = publisherOnMemory();
    const wrong = { ...received, data: { ...received.data, sku: 7 } };
    const refusal: unknown = await publisher
      .publishBatch<unknown>([received, wrong, received])
      .catch((error) => error);
    expect(isEventError(refusal, 'BATCH_INCOMPLETE') && refusal.details.outcomes).toMatchObject([
      { status: 'published' },
      { status: 'failed', index: 1, error: { code: 'PAYLOAD_INVALID' } },
      { status: 'published' },
    ]);
    expect(published).toHaveLength(2);
  });

  it('refuses an option that it does not know, and a missing bus', () => {
    expect(() =>
      publisherOnMemory({ storeBeforPublish: true } as Partial<EventPublisherConfig>),
    ).toThrow(/unknown option storeBeforPublish/);
    expect(() => publisherOnMemory({ eventBus: undefined })).toThrow(/eventBus/);
  });
});
