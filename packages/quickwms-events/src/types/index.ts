export type {
  EventContext,
  EventEnvelope,
  EventHandler,
  InboxContext,
  TypedEventHandler,
} from './envelope.ts';
