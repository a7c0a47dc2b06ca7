import { EventError } from '../errors.ts';
import { assertKnownOptions, assertMaxInFlight, assertName } from '../options.ts';
import { accepted, publishSendable, type PublishOutcome } from '../transport/publish-outcome.ts';
import type { HandoverQueue } from '../transport/handover-queue.ts';
import type { GroupRegistry } from '../transport/group-registry.ts';
import type {
  Consumer,
  Deliver,
  Subscription,
  Transport,
  TransportCapabilities,
} from '../transport/transport.ts';
import type { TransportInspection } from '../transport/transport-inspection.ts';
import type { Message } from '../event/message.ts';
import { MemoryBroker } from './memory-broker.ts';
import { MemoryConsumer } from './memory-consumer.ts';

/** A transport within one process: a pending list that is gone when the process ends. */
export class MemoryTransport implements Transport {
  static readonly capabilities: TransportCapabilities = Object.freeze({
    shape: 'pending-list',
    persistent: false,
    history: true,
    broadcast: true,
    deliveryCounts: true,
    keyOrder: 'process',
    fencing: false,
    marks: true,
    registry: true,
  });

  readonly name = 'memory';
  readonly capabilities: TransportCapabilities = MemoryTransport.capabilities;
  readonly registry: GroupRegistry;
  readonly handovers: HandoverQueue;
  readonly #broker: MemoryBroker;
  readonly destination: string;
  readonly #consumers = new Set<MemoryConsumer>();
  #connected = false;

  /**
   * @param options.broker Shared with other transports; one of its own unless given.
   * @param options.destination Name of where messages go; `memory` unless given.
   * @throws {TypeError} If an option is not known.
   */
  constructor(options: { broker?: MemoryBroker; destination?: string } = {}) {
    assertKnownOptions('MemoryTransport', options, { broker: true, destination: true });
    this.destination = options.destination ?? 'memory';
    assertName('a destination', this.destination);
    this.#broker = options.broker ?? new MemoryBroker();
    this.registry = this.#broker.registry;
    this.handovers = this.#broker.handovers;
  }

  async connect(): Promise<void> {
    this.#connected = true;
  }

  async publish(
    messages: readonly Message[],
    { marker }: { readonly marker?: string } = {},
  ): Promise<readonly PublishOutcome[]> {
    this.#assertConnected();
    if (marker !== undefined) this.#broker.assertMarker(this.destination, marker);
    return await publishSendable(messages, async (sendable) =>
      this.#broker.append(sendable).map(accepted),
    );
  }

  async mark(candidate: string): Promise<string> {
    this.#assertConnected();
    return this.#broker.mark(candidate);
  }

  async subscribe(subscription: Subscription, deliver: Deliver): Promise<Consumer> {
    this.#assertConnected();
    assertMaxInFlight(subscription.maxInFlight);
    const { group, forget } = this.#join(subscription);
    const consumer = new MemoryConsumer({
      broker: this.#broker,
      group,
      subscription,
      deliver,
      transport: this.name,
      onClose: (closed) => {
        this.#consumers.delete(closed);
        forget();
      },
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  async inspect(): Promise<TransportInspection> {
    this.#assertConnected();
    return { streams: [this.#broker.inspect()] };
  }

  async close(): Promise<void> {
    this.#connected = false;
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
  }

  #join({ group, start }: Subscription): ReturnType<MemoryBroker['broadcast']> {
    if (group === null) return this.#broker.broadcast();
    return { group: this.#broker.group(group, start), forget: () => {} };
  }

  #assertConnected(): void {
    if (this.#connected) return;
    throw new EventError('NOT_CONNECTED', 'the memory transport is not connected; call connect()', {
      what: 'memory transport',
    });
  }
}
