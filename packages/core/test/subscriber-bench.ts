import { TransportEventBus } from '../src/bus/event-bus.ts';
import type { TransportEventBusOptions } from '../src/bus/event-bus-options.ts';
import { plainProfile } from '../src/event/envelope.ts';
import { MemoryTransport } from '../src/memory/memory-transport.ts';
import type { ConsumerDatabase } from '../src/consume/consumer-database.ts';
import { Subscriber } from '../src/consume/subscriber.ts';
import type { SubscriberOptions } from '../src/consume/subscriber-options.ts';
import { EngineBench } from './engine-bench.ts';
import { settle } from './until.ts';
import { tinyCodec } from './tiny-codec.ts';

/** What a transport may say of one consumer. */
interface Ways {
  readonly tell: (error: unknown) => void;
  readonly fail: (error: unknown) => void;
}

/** Subscribers on buses of one broker, whose consumers get into trouble, or end, when a test wants it. */
export class SubscriberBench extends EngineBench {
  readonly #buses: TransportEventBus[] = [];
  /** By group; that of the broadcast is `null`. */
  readonly consumers: Map<string | null, Ways> = new Map<string | null, Ways>();

  get stored(): ConsumerDatabase {
    const { database: transactions, inbox, deadLetters } = this;
    return { transactions, inbox, deadLetters };
  }

  bus(said: Partial<TransportEventBusOptions> = {}): TransportEventBus {
    const made = new TransportEventBus({
      serviceName: 'graders',
      transport: this.#transport(),
      codec: tinyCodec,
      profile: plainProfile,
      clock: this.clock,
      ...said,
      consumers: {
        deadLetters: this.deadLetters,
        silence: ['CONSUMER_TROUBLE'],
        ...said.consumers,
      },
    });
    this.#buses.push(made);
    return made;
  }

  subscriber(options?: SubscriberOptions, bus: TransportEventBus = this.bus()): Subscriber {
    return new Subscriber(bus, options);
  }

  override async end(): Promise<void> {
    const ended = Promise.all(this.#buses.map((bus) => bus.shutdown({ deadlineMs: 0 })));
    await settle();
    await this.clock.advance(0);
    await ended;
    await super.end();
  }

  #transport(): MemoryTransport {
    const transport = new MemoryTransport({ broker: this.broker });
    const subscribe = transport.subscribe.bind(transport);
    transport.subscribe = async (subscription, deliver) => {
      const consumer = await subscribe(subscription, deliver);
      const { promise, reject } = Promise.withResolvers<never>();
      const { group, onTrouble } = subscription;
      this.consumers.set(group, { tell: (error) => onTrouble?.(error), fail: reject });
      return Object.assign(consumer, { finished: Promise.race([consumer.finished, promise]) });
    };
    return transport;
  }
}
