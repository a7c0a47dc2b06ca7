import type { EventEnvelope } from './envelope.ts';

/**
 * Name and value of one header. Names may repeat, and are told apart by case. A value that is text stays
 * text, and bytes stay bytes.
 */
export type Header = readonly [name: string, value: string | Uint8Array];

/** What a transport moves. It never looks inside `body`. */
export interface Message {
  /** Id of the event; repeated when a publish is repeated. */
  readonly id: string;
  readonly type: string;
  /** Ordering key: messages with one key are delivered in the order in which they were published. */
  readonly key: string;
  readonly contentType: string;
  /** The encoded event. A string is kept as UTF-8; bytes are kept exactly. */
  readonly body: string | Uint8Array;
  /** In the order in which the publisher wrote them; none and an empty list are the same. */
  readonly headers?: readonly Header[];
}

/** An event and the message that carries it. */
export interface EncodedEvent {
  readonly event: EventEnvelope;
  readonly message: Message;
}
