export type { EventContext, EventEnvelope, EventHandler, TypedEventHandler } from './envelope.ts';
