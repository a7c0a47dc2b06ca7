import { changed } from '../src/conformance/faults/changed.ts';
import type { DeadLetterSink } from '../src/consume/dead-letter-sink.ts';
import { MemoryBroker } from '../src/memory/memory-broker.ts';
import { MemoryTransport } from '../src/memory/memory-transport.ts';
import type { Delivery, Transport, TransportCapabilities } from '../src/transport/transport.ts';

/** Capabilities of a memory transport whose broker keeps no count of deliveries. */
export const uncountedCapabilities: TransportCapabilities = {
  ...MemoryTransport.capabilities,
  deliveryCounts: false,
};

/** A memory transport of the broker that counts no deliveries, as a log does that keeps offsets alone. */
export function uncountedTransport(broker: MemoryBroker): Transport {
  const inner = new MemoryTransport({ broker });
  return changed<Transport>(inner, {
    capabilities: uncountedCapabilities,
    subscribe: (subscription, deliver) => {
      // Whoever takes over knows where the group stands, and not how far it was handed out.
      const end = subscription.group === null ? 0 : broker.inspect().length;
      return inner.subscribe(subscription, (delivery) => {
        const mayBeRepeated = delivery.mayBeRepeated || Number(delivery.coordinates.position) < end;
        deliver(changed<Delivery>(delivery, { mayBeRepeated, deliveryCount: undefined }));
      });
    },
  });
}

/** Instances on one broker, which can be away, and whose consumers can be made to lose what they settle. */
export class FaultyBroker {
  readonly #open: (broker: MemoryBroker) => Transport;
  readonly #broker = new MemoryBroker();
  #isLosing = false;

  constructor(open: (broker: MemoryBroker) => Transport) {
    this.#open = open;
  }

  readonly open = (): Transport => {
    const inner = this.#open(this.#broker);
    return changed(inner, {
      subscribe: (subscription, deliver) =>
        inner.subscribe(subscription, (delivery) => {
          const settle = (): void => {
            if (!this.#isLosing) delivery.settle();
          };
          deliver(changed(delivery, { settle }));
        }),
    });
  };

  readonly breakServer = async (): Promise<() => Promise<void>> => {
    const bringBack = this.#broker.goAway();
    return async () => bringBack();
  };

  readonly refuseAccess = async (): Promise<() => Promise<void>> => {
    const giveBack = this.#broker.refuseAccess();
    return async () => giveBack();
  };

  readonly loseSettlements = (): (() => void) => {
    this.#isLosing = true;
    return () => (this.#isLosing = false);
  };
}

/** What a sink does of dead letters, and nothing more. */
export function sinkAlone(inner: DeadLetterSink): DeadLetterSink {
  return {
    add: (...failure) => inner.add(...failure),
    find: (keys) => inner.find(keys),
  };
}
