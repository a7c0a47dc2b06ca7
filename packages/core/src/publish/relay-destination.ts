import type { Clock } from '../clock.ts';
import { isEventError, type EventError } from '../errors.ts';
import type { Message } from '../event/message.ts';
import type { HealthReasons } from '../health.ts';
import type { Ids } from '../ids.ts';
import type { Observer } from '../observer.ts';
import { oneLine } from '../text.ts';
import { destinationChanged } from '../transport/destination-changed.ts';
import type { PublishOutcome } from '../transport/publish-outcome.ts';
import { aboutMessage } from '../event/about-event.ts';
import type { Outbox, RefusedMessage } from './outbox.ts';

export interface RelayDestinationOptions {
  readonly outbox: Outbox;
  readonly destination: string;
  publish(
    messages: readonly Message[],
    options: { readonly marker?: string },
  ): Promise<readonly PublishOutcome[]>;
  mark?(candidate: string): Promise<string>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly observe: Observer;
  readonly reasons: HealthReasons;
}

/** How often a relay checks in, in milliseconds. */
const checkInEveryMs = 5_000;
/** How many refused messages health names one by one. */
const maxNamed = 3;

/**
 * Where a relay publishes to: makes sure that it is the server that messages went to before, and knows what
 * that one does not take.
 */
export class RelayDestination {
  readonly #options: RelayDestinationOptions;
  /** `undefined` until the outbox was asked. */
  #marker: string | null | undefined;
  #checkInAt = 0;
  readonly #unrelayed = {};
  readonly #refused = {};

  constructor(options: RelayDestinationOptions) {
    this.#options = options;
  }

  /** Checks in with the outbox, if it is time to. */
  async checkIn(): Promise<void> {
    const nowMs = this.#options.clock.now();
    // A clock that was put back must not keep it from asking.
    if (Math.abs(this.#checkInAt - nowMs) <= checkInEveryMs && nowMs < this.#checkInAt) return;
    await this.#ask();
    this.#checkInAt = nowMs + checkInEveryMs;
  }

  /** Publishes to the server that bears the known mark, and to no other. */
  async publish(messages: readonly Message[]): Promise<readonly PublishOutcome[]> {
    const { publish, mark } = this.#options;
    if (!mark) return await publish(messages, {});
    const marker = (this.#marker ??= await this.#firstMarker(mark));
    try {
      return await publish(messages, { marker });
    } catch (error) {
      if (!isEventError(error, 'DESTINATION_CHANGED')) throw error;
      // Whoever has marked it anew since is not another one.
      if (error.details.found === marker) return await publish(messages, { marker });
      if (error.details.found !== null) {
        await this.#askAgain();
        throw error;
      }
      await this.#markAnew(mark, marker);
      return await publish(messages, { marker });
    }
  }

  /** Takes note of messages that were refused just now. */
  reportRefused(refused: readonly { message: Message; error: EventError }[]): void {
    const { destination, observe } = this.#options;
    for (const { message, error } of refused) {
      observe({ kind: 'publish-refused', destination, error, ...aboutMessage(message) });
    }
    // What is named to people comes from the rows, which say it for all relays.
    if (refused.length > 0) this.#checkInAt = 0;
  }

  async #ask(): Promise<void> {
    const { outbox, destination, reasons } = this.#options;
    const { marker, refused, unrelayed } = await outbox.checkIn(destination);
    this.#marker = marker;
    if (refused.length > 0) reasons.add(this.#refused, describeRefused(destination, refused));
    else reasons.remove(this.#refused);
    if (unrelayed.length === 0) return reasons.remove(this.#unrelayed);
    const names = unrelayed.map((name) => oneLine(name)).join(', ');
    reasons.add(this.#unrelayed, `messages wait for ${names}, and nobody relays them`);
  }

  /** The mark that is kept, or else the one that the server bears, or gets now. */
  async #firstMarker(mark: (candidate: string) => Promise<string>): Promise<string> {
    const { outbox, destination, ids } = this.#options;
    return await outbox.keepMarker(destination, await mark(ids()));
  }

  /** A server without any mark is the known one, emptied: what it had is lost, and it goes on. */
  async #markAnew(mark: (candidate: string) => Promise<string>, marker: string): Promise<void> {
    const { destination, observe } = this.#options;
    const found = await mark(marker);
    if (found !== marker) throw destinationChanged(destination, marker, found);
    observe({ kind: 'emptied', destination });
  }

  /** Forgets the mark, so that an operator's word is heard at the next try. */
  async #askAgain(): Promise<void> {
    this.#marker = undefined;
    try {
      await this.#ask();
    } catch {
      // The next look at the outbox fails as well, and says so.
      this.#checkInAt = 0;
    }
  }
}

function describeRefused(destination: string, refused: readonly RefusedMessage[]): string {
  const named = refused
    .slice(0, maxNamed)
    .map(({ eventType, eventId, reason }) => `${eventType} ${eventId} (${oneLine(reason, 200)})`);
  const more = refused.length > maxNamed ? ` and ${refused.length - maxNamed} more` : '';
  return `${destination} does not take ${named.join(', ')}${more}`;
}
