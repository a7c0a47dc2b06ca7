import type { Clock } from '../clock.ts';
import type { EventSender } from './event-sender.ts';
import { untilStarted } from '../first-start.ts';
import type { PublishingStore } from './publisher-options.ts';
import type { Relay } from './relay.ts';
import type { TroubleReporter } from '../trouble.ts';

export interface ConnectFirstOptions {
  readonly bus: EventSender;
  readonly store?: PublishingStore;
  /** The one of this process, if it has one for the store. */
  readonly relay: Relay | undefined;
  readonly trouble: TroubleReporter;
  readonly clock: Clock;
  /** Ends the waiting for servers that are away. */
  readonly signal: AbortSignal;
}

/**
 * Connects a publisher to its store and its bus; waits for servers that are away, or not ready yet.
 *
 * @throws What does not pass by itself; the last error once `signal` is aborted.
 */
export async function connectFirst(options: ConnectFirstOptions): Promise<void> {
  const { bus, store, relay } = options;
  const { destination } = bus.transport;
  await untilStarted(
    async () => {
      // As the relay does, which has nobody whom it could tell that the database refuses its user.
      if (relay) await store?.outbox.waitingPartitions(destination);
      await bus.connect();
    },
    { ...options, whom: destination },
  );
}
