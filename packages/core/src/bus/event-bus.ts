import { EventEmitter } from 'node:events';

import { BusGroups } from './bus-groups.ts';
import type { BusEvents, EventBus } from './bus.ts';
import { audienceOf, eventBusOptions, type TransportEventBusOptions } from './event-bus-options.ts';
import type { Catalogue } from '../event/catalogue.ts';
import type { Codec } from '../event/codec.ts';
import { ConsumerGroup } from '../consume/consumer-group.ts';
import type { EventError } from '../errors.ts';
import {
  assertChoices,
  broadcastChoices,
  type ConsumerChoices,
} from '../consume/consumer-group-options.ts';
import type { UnfinishedDelivery } from '../consume/delivery-processor.ts';
import type { EventEnvelope, Profile } from '../event/envelope.ts';
import type { Handler } from '../consume/handler.ts';
import { withOwnStart } from '../transport/group-start.ts';
import { assertComplete } from '../publish/batch-result.ts';
import { positionsOf, type PublishOutcome } from '../transport/publish-outcome.ts';
import { aboutEvent } from '../event/about-event.ts';
import { observeAll, type Observation, type Observer } from '../observer.ts';
import type { Audience } from '../people.ts';
import { assertKnownOptions, assertName } from '../options.ts';
import type { HandlerOptions } from '../consume/registration.ts';
import { wasShutDown } from '../stopping.ts';
import type { Transport } from '../transport/transport.ts';
import type { GroupInspection, StreamInspection } from '../transport/transport-inspection.ts';
import type { EncodedEvent, Message } from '../event/message.ts';

/** A bus over any transport; each transport package makes one with its own options. */
export class TransportEventBus extends EventEmitter<BusEvents> implements EventBus {
  readonly serviceName: string;
  readonly transport: Transport;
  readonly codec: Codec;
  readonly profile: Profile;
  readonly catalogue: Catalogue | undefined;
  readonly audience: Pick<Audience, 'logger' | 'silence'>;
  readonly #options: TransportEventBusOptions;
  readonly #groups: BusGroups;
  #state: 'open' | 'stopping' | 'closed' = 'open';
  readonly #observe: Observer;

  /** @throws {TypeError} If the service name cannot name a group, or an option, also of its consumers, is not usable. */
  constructor(options: TransportEventBusOptions) {
    super();
    assertKnownOptions('a bus', options, eventBusOptions);
    const { serviceName } = options;
    if (typeof serviceName !== 'string' || serviceName === '')
      throw new TypeError('a bus needs a serviceName: it names the consumer group');
    assertName('the consumer group of a serviceName', `${serviceName}-group`);
    // A group is made when it is first asked for; what is wrong with its options is said here.
    assertChoices(`bus of ${serviceName}`, options.consumers);
    this.serviceName = serviceName;
    this.transport = options.transport;
    this.codec = options.codec;
    this.profile = options.profile;
    this.catalogue = options.catalogue;
    this.audience = audienceOf(options);
    this.#options = { ...options, consumers: withOwnStart(options.consumers) };
    this.#groups = new BusGroups((...made) => this.#newGroup(...made));
    this.#observe = observeAll([
      (seen) => this.#emitFor(seen),
      ...(options.observer ? [options.observer] : []),
    ]);
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  /**
   * Connects the transport, for no longer than one try of it; `start()` of groups and `connect()` of a publisher
   * wait for a server that is away.
   *
   * @throws {EventError} `STOPPING` after `shutdown()`; what the transport throws.
   */
  async connect(): Promise<void> {
    // A transport that others use is open, and a relay that began with this bus may go on with it.
    if (this.closed && !this.#options.sharedTransport) throw this.#wasShutDown();
    await this.transport.connect();
  }

  async publish<T>(event: EventEnvelope<T>): Promise<string> {
    const [outcome] = await this.publishEncoded([this.#encoded(event)]);
    return positionsOf([outcome!])[0]!;
  }

  async publishBatch<T>(events: EventEnvelope<T>[]): Promise<string[]> {
    const encoded = events.map((event) => this.#encoded(event));
    const outcomes = await this.publishEncoded(encoded);
    assertComplete(
      outcomes.map((outcome, index) =>
        outcome.status === 'accepted'
          ? { status: 'fulfilled', value: encoded[index]! }
          : { status: 'rejected', reason: outcome.error },
      ),
    );
    return positionsOf(outcomes);
  }

  async publishEncoded(encoded: readonly EncodedEvent[]): Promise<readonly PublishOutcome[]> {
    if (this.closed) throw this.#wasShutDown();
    const outcomes = await this.transport.publish(encoded.map(({ message }) => message));
    for (const [index, { event, message }] of encoded.entries()) {
      const outcome = outcomes[index]!;
      if (outcome.status !== 'accepted') continue;
      this.#observe({
        kind: 'published',
        stored: false,
        ...aboutEvent(event, { key: message.key }),
      });
      this.#tellPublished(outcome.position, event.type, () => event);
    }
    return outcomes;
  }

  async publishMessages(
    messages: readonly Message[],
    options?: { readonly marker?: string },
  ): Promise<readonly PublishOutcome[]> {
    const outcomes = await this.transport.publish(messages, options);
    if (this.listenerCount('published') === 0) return outcomes;
    for (const [index, message] of messages.entries()) {
      const outcome = outcomes[index]!;
      if (outcome.status !== 'accepted') continue;
      this.#tellPublished(outcome.position, message.type, () => this.codec.decode(message));
    }
    return outcomes;
  }

  async subscribe(eventTypes: string[], handler: Handler, options?: HandlerOptions): Promise<void> {
    this.consumers().on(eventTypes, handler, options);
  }

  consumers(
    group: string | null = `${this.serviceName}-group`,
    choices: ConsumerChoices = {},
  ): ConsumerGroup {
    if (this.#state !== 'open') throw this.#wasShutDown();
    if (group === null) return this.#groups.broadcast(given(choices));
    return this.#groups.named(group, given(choices));
  }

  /** Starts every group that has handlers, and is not over. */
  async start(): Promise<void> {
    for (const group of this.#groups.all) {
      if (group.hasHandlers && !group.isOver) await group.start();
    }
  }

  /**
   * Stops all consumers within the deadline, then closes the transport, unless others use it. What handlers
   * publish meanwhile still goes out; nothing does afterwards. Idempotent.
   */
  async shutdown(options: { deadlineMs?: number } = {}): Promise<void> {
    assertKnownOptions('shutdown', options, { deadlineMs: true });
    if (this.#state === 'open') this.#state = 'stopping';
    try {
      await this.#groups.stop(options);
    } finally {
      this.#state = 'closed';
      if (!this.#options.sharedTransport) await this.transport.close();
    }
  }

  /** What the last stop of each group left for other workers. */
  get unfinished(): readonly UnfinishedDelivery[] {
    return this.#groups.all.flatMap(({ unfinished }) => unfinished);
  }

  /** @returns What the transport knows of one stream; an empty one if it knows none of that name. */
  async getStreamInfo(streamKey: string): Promise<StreamInspection> {
    const { streams } = await this.transport.inspect();
    return (
      streams.find(({ name }) => name === streamKey) ?? { name: streamKey, length: 0, groups: [] }
    );
  }

  async getGroupInfo(streamKey: string): Promise<readonly GroupInspection[]> {
    return (await this.getStreamInfo(streamKey)).groups;
  }

  #newGroup(
    group: string | null,
    choices: ConsumerChoices,
    predecessor?: Promise<unknown>,
  ): ConsumerGroup {
    const { catalogue, clock, consumers } = this.#options;
    const said = { ...given(this.audience), ...given(consumers), ...choices };
    const observers = [this.#observe, consumers.observer, choices.observer];
    return new ConsumerGroup({
      ...(catalogue ? { catalogue } : {}),
      ...(clock ? { clock } : {}),
      service: this.serviceName,
      ...(group === null ? broadcastChoices(said) : said),
      transport: this.transport,
      codec: this.codec,
      group,
      ...(predecessor ? { predecessor } : {}),
      observer: observeAll(observers.filter((observer) => observer !== undefined)),
    });
  }

  #wasShutDown(): EventError<'STOPPING'> {
    return wasShutDown(`bus of ${this.serviceName}`);
  }

  #encoded(event: EventEnvelope): EncodedEvent {
    return { event, message: this.codec.encode(event) };
  }

  /** @param event Made only where somebody listens. */
  #tellPublished(messageId: string, eventType: string, event: () => EventEnvelope): void {
    if (this.listenerCount('published') === 0) return;
    const streamKey = this.transport.streamOf?.(eventType) ?? this.transport.name;
    try {
      this.emit('published', { streamKey, messageId, event: event() });
    } catch {
      // The message is published; a listener's own bug must not say that it is not.
    }
  }

  #emitFor(seen: Observation): void {
    if (seen.kind === 'processed') {
      const { eventId: id, eventType: type, coordinates } = seen;
      this.emit('processed', {
        streamKey: coordinates.stream,
        messageId: coordinates.position,
        event: { id, type },
      });
    } else if (seen.kind === 'attempt-failed') {
      const { coordinates, error } = seen;
      this.emit('processingError', {
        streamKey: coordinates.stream,
        messageId: coordinates.position,
        error,
      });
    } else if (seen.kind === 'dead-lettered') {
      const { coordinates, error } = seen;
      this.emit('deadLetter', {
        streamKey: coordinates.stream,
        messageId: coordinates.position,
        error,
      });
    }
  }
}

/** An option given as `undefined` is an option not given. */
function given(choices: ConsumerChoices): ConsumerChoices {
  return Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== undefined));
}
