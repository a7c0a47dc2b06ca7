import { SharedOpening } from '../shared-opening.ts';
import type { EventSender } from './event-sender.ts';
import type { Outbox } from './outbox.ts';
import { Relay, type RelayOptions } from './relay.ts';

interface Shared {
  readonly relay: Relay;
  users: number;
}

const relays = new WeakMap<Outbox, Map<object, Shared>>();

/** One publisher's hold on the relay that it shares. */
export interface RelayHold {
  readonly relay: Relay;
  /** Gives it back; the relay ends with the last one. Idempotent. */
  release(): Promise<void>;
}

export type SharedRelayOptions = Omit<RelayOptions, 'outbox' | 'destination' | 'publish' | 'mark'>;

/**
 * The one relay of this process between an outbox and a transport: publishers of several services may
 * share a store, and one relay does the work for all of them.
 *
 * @param bus That of the first publisher of a transport is published through.
 * @param options Those of the first publisher count.
 */
export function shareRelay(
  outbox: Outbox,
  bus: EventSender,
  options: SharedRelayOptions,
): RelayHold {
  const byTransport = relays.get(outbox) ?? new Map<object, Shared>();
  relays.set(outbox, byTransport);
  const shared = byTransport.get(bus.transport) ?? {
    relay: newRelay(outbox, bus, options),
    users: 0,
  };
  byTransport.set(bus.transport, shared);
  shared.users += 1;
  let released: Promise<void> | undefined;
  return {
    relay: shared.relay,
    release() {
      released ??= giveBack(byTransport, bus.transport, shared);
      return released;
    },
  };
}

async function giveBack(
  byTransport: Map<object, Shared>,
  transport: object,
  shared: Shared,
): Promise<void> {
  shared.users -= 1;
  if (shared.users > 0) return;
  byTransport.delete(transport);
  await shared.relay.stop();
}

/** Connects the bus with the first batch, and again if that failed; never again once it has been closed. */
function newRelay(outbox: Outbox, bus: EventSender, options: SharedRelayOptions): Relay {
  const { transport } = bus;
  const connection = new SharedOpening(() => bus.connect());
  const mark = async (candidate: string): Promise<string> => {
    await connection.open();
    return await transport.mark!(candidate);
  };
  return new Relay({
    ...options,
    outbox,
    destination: transport.destination,
    publish: async (messages, expected) => {
      await connection.open();
      return await bus.publishMessages(messages, expected);
    },
    ...(transport.mark ? { mark } : {}),
  });
}
