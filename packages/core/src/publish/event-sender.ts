import type { Codec } from '../event/codec.ts';
import type { EncodedEvent, Message } from '../event/message.ts';
import type { Audience } from '../people.ts';
import type { PublishOutcome } from '../transport/publish-outcome.ts';
import type { Transport } from '../transport/transport.ts';

/** What a publisher and its relay send through: a codec, and a way to send. Every `EventBus` is one. */
export interface EventSender {
  /** What carries the messages; one relay serves all senders over the same one. */
  readonly transport: Pick<Transport, 'name' | 'destination' | 'mark'>;
  readonly codec: Codec;
  /** True once it was shut down for good: nothing is published through it any more, nor stored to be. */
  readonly closed?: boolean;
  /** Who hears what publishers that send through it have to say, unless they say otherwise. */
  readonly audience?: Pick<Audience, 'logger' | 'silence'>;
  connect(): Promise<void>;
  /** Publishes events that are encoded already. @returns What became of each, in the order given. */
  publishEncoded(encoded: readonly EncodedEvent[]): Promise<readonly PublishOutcome[]>;
  /**
   * Publishes what a relay took from an outbox.
   *
   * @param options.marker As `Transport.publish` takes it.
   * @returns What became of each, in the order given.
   */
  publishMessages(
    messages: readonly Message[],
    options?: { readonly marker?: string },
  ): Promise<readonly PublishOutcome[]>;
}
