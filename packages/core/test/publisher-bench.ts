import { plainProfile, type EventEnvelope } from '../src/event/envelope.ts';
import { TransportEventBus } from '../src/bus/event-bus.ts';
import { MemoryEventStore } from '../src/memory/memory-event-store.ts';
import { MemoryOutbox } from '../src/memory/memory-outbox.ts';
import { MemoryTransport } from '../src/memory/memory-transport.ts';
import { Publisher } from '../src/publish/publisher.ts';
import type { PublisherOptions, PublishingStore } from '../src/publish/publisher-options.ts';
import { EngineBench } from './engine-bench.ts';
import { tinyCodec } from './tiny-codec.ts';
import { settle } from './until.ts';

/** Publishers, and the store and the outbox that they commit to. */
export class PublisherBench extends EngineBench {
  readonly transport: MemoryTransport = new MemoryTransport({ broker: this.broker });
  readonly events: MemoryEventStore = new MemoryEventStore(this.database, { clock: this.clock });
  readonly outbox: MemoryOutbox = new MemoryOutbox(this.database, { clock: this.clock });
  readonly store: PublishingStore = {
    append: (event, options) => this.events.append(event, options),
    appendBatch: (events, options) => this.events.appendBatch(events, options),
    outbox: this.outbox,
    transactions: this.database,
  };
  readonly bus: TransportEventBus = new TransportEventBus({
    serviceName: 'tests',
    transport: this.transport,
    codec: tinyCodec,
    profile: plainProfile,
    consumers: { deadLetters: this.deadLetters },
    clock: this.clock,
    observer: this.seen.observe,
  });
  readonly #publishers: Publisher[] = [];
  #ids = 0;

  /** A publisher with a store, unless said otherwise. */
  publisher(said: Partial<PublisherOptions> = {}): Publisher {
    const made = new Publisher({
      serviceName: 'tests',
      bus: this.bus,
      store: this.store,
      clock: this.clock,
      ids: () => `id-${++this.#ids}`,
      observer: this.seen.observe,
      ...said,
    });
    this.#publishers.push(made);
    return made;
  }

  /** Every event that was published onto the transport, in the order in which it arrived. */
  async arrived(): Promise<EventEnvelope[]> {
    const seen: EventEnvelope[] = [];
    const group = this.group({ group: `reader-${(this.#ids += 1)}` });
    group.on(['*'], (event) => void seen.push(event), { name: 'read' });
    await group.start();
    await this.settled();
    return seen;
  }

  async stored(): Promise<EventEnvelope[]> {
    const { events } = await this.events.readFrom(null);
    return events.map(({ event }) => event);
  }

  override async end(): Promise<void> {
    const ended = this.#publishers.map((publisher) => publisher.shutdown());
    await settle();
    await this.clock.advance(10_000);
    await Promise.all(ended);
    await super.end();
  }
}
