export { EventPublisher, type EventPublisherConfig } from './event-publisher.ts';
