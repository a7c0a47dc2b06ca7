import type { DeadLetter, DeadLetterQueue, Health, Observation } from '@waybill/core';
import { positionsOf, type Message } from '@waybill/core/adapter';
import { EventSubscriber, type EventBus, type EventEnvelope } from '@quickwms/events';
import type { EventPublisher } from '@quickwms/events';

import { waitUntil } from '../../../scripts/wait-until.ts';
import { messageOf, wireEvent } from './messages.ts';

/** How much of everything there is: what a refused event must not change. */
export interface Counts {
  /** Rows of `event_store`; 0 without a store. */
  readonly stored: number;
  /** Messages on the transport. */
  readonly carried: number;
  readonly dead: number;
}

/** A service that publishes and consumes, over one kind of bus. */
export interface BenchParts {
  readonly bus: EventBus;
  readonly publisher: EventPublisher;
  readonly deadLetters: DeadLetterQueue;
  /** Has an event store, and an inbox for the handler. */
  readonly stores: boolean;
  /** Says afterwards whether a body was given as text or as bytes; else what is UTF-8 comes as text. */
  readonly tellsTextFromBytes: boolean;
  /** A body that is far too large, and does not take a minute, in bytes. */
  readonly hugeBytes: number;
  /** Events of the store by their id, oldest first; none without a store. */
  stored(eventId: string): Promise<EventEnvelope[]>;
  counts(): Promise<Counts>;
  /** Resolves when nothing is on its way to the transport. */
  relayed(): Promise<void>;
  close(): Promise<void>;
}

/** A group with one handler for everything, and both ways to reach it: by a publisher, and past it. */
export class Bench {
  readonly received: EventEnvelope[] = [];
  readonly observed: Observation[];
  readonly #parts: BenchParts;
  readonly #subscriber: EventSubscriber;
  #lastSeenId: string | undefined;

  private constructor(parts: BenchParts, observed: Observation[]) {
    this.#parts = parts;
    this.observed = observed;
    this.#subscriber = new EventSubscriber(parts.bus);
    this.#subscriber.onDomain('*', (event) => void this.received.push(event), {
      name: 'everything',
      inbox: parts.stores,
      retry: { maxRetries: 0 },
    });
  }

  static async open(
    parts: (observer: (seen: Observation) => void) => Promise<BenchParts>,
  ): Promise<Bench> {
    const observed: Observation[] = [];
    const bench = new Bench(await parts((seen) => void observed.push(seen)), observed);
    await bench.#subscriber.start();
    return bench;
  }

  /** Says whether events are stored, and what was handled is known again. */
  get stores(): boolean {
    return this.#parts.stores;
  }

  get tellsTextFromBytes(): boolean {
    return this.#parts.tellsTextFromBytes;
  }

  get hugeBytes(): number {
    return this.#parts.hugeBytes;
  }

  get publisher(): EventPublisher {
    return this.#parts.publisher;
  }

  /**
   * Puts messages on the transport as somebody else might, past every check of ours.
   *
   * @throws Why the first one was refused, if any was.
   */
  async arrive(...messages: Message[]): Promise<void> {
    positionsOf(await this.#parts.bus.transport.publish(messages));
  }

  stored(eventId: string): Promise<EventEnvelope[]> {
    return this.#parts.stored(eventId);
  }

  receivedAs(eventId: string): EventEnvelope[] {
    return this.received.filter(({ id }) => id === eventId);
  }

  /** @returns What the handler got, once it did. */
  async delivered(eventId: string): Promise<EventEnvelope> {
    await waitUntil(
      `${eventId.slice(0, 40)} was handled`,
      () => this.receivedAs(eventId).length > 0,
    );
    return this.receivedAs(eventId)[0]!;
  }

  /** Proves that the group goes on: an event of the same key is handled after whatever came before it. */
  async flows(key: string): Promise<void> {
    const good = wireEvent();
    await this.arrive(messageOf(JSON.stringify(good), { key, id: good.id }));
    await this.delivered(good.id);
  }

  /** The dead letters since the last time. */
  async newDeadLetters(): Promise<DeadLetter[]> {
    const afterId = this.#lastSeenId;
    const letters = await this.#parts.deadLetters.list(afterId === undefined ? {} : { afterId });
    this.#lastSeenId = letters.at(-1)?.id ?? this.#lastSeenId;
    return letters;
  }

  health(): Health {
    return this.#subscriber.health();
  }

  /** Counts, once nothing is on its way. */
  async counts(): Promise<Counts> {
    await this.#parts.relayed();
    return await this.#parts.counts();
  }

  async close(): Promise<void> {
    await this.#parts.close();
  }
}
