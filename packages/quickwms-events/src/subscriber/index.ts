export { EventSubscriber, type EventSubscriberOptions } from './event-subscriber.ts';
export type { SubscriptionOptions } from '@waybill/core';
