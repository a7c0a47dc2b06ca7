import type { Codec } from '../event/codec.ts';
import type { EncodedEvent, Message } from '../event/message.ts';

/** What a publisher and its relay send through: a codec, and a way to send. Every `EventBus` is one. */
export interface EventSender {
  /** Identity and name of what carries the messages; relays are shared by it. */
  readonly transport: { readonly name: string };
  readonly codec: Codec;
  connect(): Promise<void>;
  /** Publishes events that are encoded already. @returns Where each lies, in the order given. */
  publishEncoded(encoded: readonly EncodedEvent[]): Promise<string[]>;
  /** Publishes what a relay took from an outbox. @returns Where each lies, in the order given. */
  publishMessages(messages: readonly Message[]): Promise<string[]>;
}
