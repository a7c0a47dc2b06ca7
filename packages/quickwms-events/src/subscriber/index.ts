export {
  EventSubscriber,
  type EventSubscriberOptions,
  type SubscriptionOptions,
} from './event-subscriber.ts';
