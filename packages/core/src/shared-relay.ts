import type { Outbox } from './outbox.ts';
import { OutboxRelay, type OutboxRelayOptions } from './outbox-relay.ts';
import type { Transport } from './transport.ts';

interface Shared {
  readonly relay: OutboxRelay;
  users: number;
}

const relays = new WeakMap<Outbox, Map<Transport, Shared>>();

/** One publisher's hold on the relay that it shares. */
export interface RelayHold {
  readonly relay: OutboxRelay;
  /** Gives it back; the relay ends with the last one. Idempotent. */
  release(): Promise<void>;
}

/**
 * The one relay of this process between an outbox and a transport: publishers of several services may
 * share a store, and one relay does the work for all of them.
 *
 * @param options Those of the first publisher count.
 */
export function shareRelay(
  outbox: Outbox,
  transport: Transport,
  options: Omit<OutboxRelayOptions, 'outbox' | 'publish'>,
): RelayHold {
  const byTransport = relays.get(outbox) ?? new Map<Transport, Shared>();
  relays.set(outbox, byTransport);
  const shared = byTransport.get(transport) ?? {
    relay: new OutboxRelay({
      ...options,
      outbox,
      publish: async (messages) => {
        await transport.connect();
        return transport.publish(messages);
      },
    }),
    users: 0,
  };
  byTransport.set(transport, shared);
  shared.users += 1;
  let held = true;
  return {
    relay: shared.relay,
    async release() {
      if (!held) return;
      held = false;
      shared.users -= 1;
      if (shared.users > 0) return;
      byTransport.delete(transport);
      await shared.relay.stop();
    },
  };
}
