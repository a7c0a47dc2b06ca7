import type { ConsumerSource } from '../consume/subscriber-options.ts';
import type { EventEnvelope, Profile } from '../event/envelope.ts';
import type { Handler } from '../consume/handler.ts';
import type { HandlerOptions } from '../consume/registration.ts';
import type { EventSender } from '../publish/event-sender.ts';
import type { Transport } from '../transport/transport.ts';

/** What listeners of a bus are told. */
export interface BusEvents {
  published: [{ streamKey: string; messageId: string; event: EventEnvelope }];
  processed: [{ streamKey: string; messageId: string; event: { id: string; type: string } }];
  processingError: [{ streamKey: string; messageId: string; error: unknown }];
  deadLetter: [{ streamKey: string; messageId: string; error: Error }];
}

/** Where events go in and come out, whatever carries them. */
export interface EventBus extends EventSender, ConsumerSource {
  /** Name of the service; its consumer group is `<serviceName>-group`. */
  readonly serviceName: string;
  readonly transport: Transport;
  readonly profile: Profile;
  readonly closed: boolean;
  /**
   * @returns Where the message lies, as the broker prints it.
   * @throws Why it was not accepted; `STOPPING` after `shutdown()`, as do the others that publish.
   */
  publish<T>(event: EventEnvelope<T>): Promise<string>;
  /**
   * @returns Where each message lies, in the order given.
   * @throws {EventError} `BATCH_INCOMPLETE` with one outcome per event, if the broker took only some.
   */
  publishBatch<T>(events: EventEnvelope<T>[]): Promise<string[]>;
  subscribe(eventTypes: string[], handler: Handler, options?: HandlerOptions): Promise<void>;
  start(): Promise<void>;
  shutdown(options?: { deadlineMs?: number }): Promise<void>;
}
