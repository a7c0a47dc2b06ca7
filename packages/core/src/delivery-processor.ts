import type { Catalogue } from './catalogue.ts';
import type { Clock } from './clock.ts';
import type { Codec } from './codec.ts';
import type { UnfinishedDelivery } from './consumer-group.ts';
import type { DeadLetterQueue } from './dead-letter-queue.ts';
import type { EventEnvelope } from './envelope.ts';
import { EventError } from './errors.ts';
import type { Observer } from './observer.ts';
import { DeadLetterRecorder, describe } from './policies/dead-letter.ts';
import type { Invocation, Registration } from './policies/step.ts';
import type { Delivery } from './transport.ts';

/** A delivery between its admission and its end. */
interface UnderWay {
  readonly controller: AbortController;
  handler: string | undefined;
}

/** Takes one delivery through every handler that wants it, and settles it when all have ended. */
export class DeliveryProcessor {
  /** Stores dead letters; absent for broadcast subscriptions. */
  readonly recorder: DeadLetterRecorder | undefined;
  readonly #group: string | null;
  readonly #codec: Codec;
  readonly #catalogue: Catalogue | undefined;
  readonly #maxDeliveries: number;
  readonly #observe: Observer;
  readonly #registrations: readonly Registration[];
  readonly #underWay = new Map<Delivery, UnderWay>();

  constructor(options: {
    group: string | null;
    codec: Codec;
    catalogue: Catalogue | undefined;
    deadLetters: DeadLetterQueue | undefined;
    maxDeliveries: number;
    clock: Clock;
    observe: Observer;
    registrations: readonly Registration[];
  }) {
    const { group, deadLetters: queue, clock, observe } = options;
    this.#group = group;
    this.#codec = options.codec;
    this.#catalogue = options.catalogue;
    this.#maxDeliveries = options.maxDeliveries;
    this.#observe = observe;
    this.#registrations = options.registrations;
    this.recorder =
      group !== null && queue
        ? new DeadLetterRecorder({ group, queue, clock, observe })
        : undefined;
  }

  /** Dead letters that cannot be stored right now. */
  get stuckDeadLetters(): number {
    return this.recorder?.stuck ?? 0;
  }

  /**
   * Notes a delivery when it arrives, before its turn comes.
   *
   * @returns False if no handler wants it; it is settled then.
   */
  admit(delivery: Delivery): boolean {
    if (this.#wanting(delivery.message.type).length === 0) {
      this.#observe({
        kind: 'unhandled-type',
        group: this.#group ?? '',
        eventType: delivery.message.type,
      });
      delivery.settle();
      return false;
    }
    const controller = new AbortController();
    this.#underWay.set(delivery, { controller, handler: undefined });
    delivery.signal.addEventListener('abort', () => controller.abort(delivery.signal.reason), {
      once: true,
    });
    if (delivery.signal.aborted) controller.abort(delivery.signal.reason);
    return true;
  }

  /** Runs an admitted delivery to its end; never rejects. */
  async process(delivery: Delivery): Promise<void> {
    const state = this.#underWay.get(delivery);
    if (!state) return;
    const { signal } = state.controller;
    try {
      if (!signal.aborted) await this.#runHandlers(delivery, state);
      if (!signal.aborted) delivery.settle();
    } catch (error) {
      // Only an abandoned delivery ends up here: it stays unsettled, and another worker gets it.
      if (!signal.aborted) throw error;
    } finally {
      this.#underWay.delete(delivery);
    }
  }

  /** Gives up everything under way: aborts its signals, leaves it unsettled, and names it. */
  abandon(): UnfinishedDelivery[] {
    return [...this.#underWay].map(([delivery, { controller, handler }]) => {
      const { message, coordinates } = delivery;
      controller.abort(
        new EventError('STOPPING', `group ${this.#group} is stopping`, {
          what: String(this.#group),
        }),
      );
      this.#observe({
        kind: 'left-unfinished',
        group: this.#group ?? '',
        eventId: message.id,
        handler,
        coordinates,
      });
      return { eventId: message.id, handler, coordinates };
    });
  }

  /**
   * Runs an event once more through the handlers that a dead letter names.
   *
   * @param handler The failing handler, or empty for every handler that wants the event.
   * @throws What the handler threw.
   */
  async redrive(delivery: Delivery, handler: string): Promise<void> {
    const event = this.#read(delivery);
    const chosen = this.#wanting(event.type).filter(
      ({ name }) => handler === '' || name === handler,
    );
    if (chosen.length === 0) {
      throw new EventError(
        'CAPABILITY_MISSING',
        `group ${this.#group} has no handler ${handler} for ${event.type}`,
        {
          transport: delivery.coordinates.transport,
          capability: `handler ${handler}`,
        },
      );
    }
    for (const registration of chosen) {
      await registration.runOnce(
        this.#read(delivery),
        this.#invocation(registration, delivery, delivery.signal),
      );
    }
  }

  async #runHandlers(delivery: Delivery, state: UnderWay): Promise<void> {
    const { message, deliveryCount } = delivery;
    const { signal } = state.controller;
    this.#observe({
      kind: 'delivered',
      group: this.#group ?? '',
      eventId: message.id,
      deliveryCount,
      coordinates: delivery.coordinates,
    });
    const event = await this.#readOrRecord(delivery, signal);
    if (!event) return;
    for (const [index, registration] of this.#wanting(event.type).entries()) {
      state.handler = registration.name;
      // A handler may change the event that it was given; the next one gets the original.
      const own = index === 0 ? event : this.#read(delivery);
      const invocation = this.#invocation(registration, delivery, signal);
      if (deliveryCount !== undefined && deliveryCount > this.#maxDeliveries) {
        await this.#recordCrashLoop(own, invocation);
      } else {
        await this.#run(own, invocation);
      }
    }
  }

  async #run(event: EventEnvelope, invocation: Invocation): Promise<void> {
    try {
      await invocation.registration.run(event, invocation);
    } catch (error) {
      if (this.#group !== null || invocation.signal.aborted) throw error;
      this.#observe({ kind: 'broadcast-failed', eventType: event.type, eventId: event.id, error });
    }
  }

  #read(delivery: Delivery): EventEnvelope {
    const event = this.#codec.decode(delivery.message);
    return this.#catalogue?.upcast(event) ?? event;
  }

  /** The event, or nothing once it is recorded why it cannot be read. */
  async #readOrRecord(delivery: Delivery, signal: AbortSignal): Promise<EventEnvelope | undefined> {
    try {
      return this.#read(delivery);
    } catch (error) {
      const { message } = delivery;
      if (!this.recorder) {
        this.#observe({
          kind: 'broadcast-failed',
          eventType: message.type,
          eventId: message.id,
          error,
        });
        return undefined;
      }
      if (delivery.deliveryCount !== 1 && (await this.recorder.isKnownUnreadable(delivery)))
        return undefined;
      await this.recorder.record(
        {
          ...describe(delivery, error),
          handler: '',
          eventId: message.id,
          eventType: message.type,
          totalAttempts: 1,
        },
        error,
        signal,
      );
      return undefined;
    }
  }

  async #recordCrashLoop(
    event: EventEnvelope,
    { registration, delivery, signal }: Invocation,
  ): Promise<void> {
    const deliveries = delivery.deliveryCount!;
    const error = new EventError(
      'DELIVERIES_EXCEEDED',
      `${event.type} ${event.id} was delivered ${deliveries} times and never finished; look for a handler that kills its process`,
      { deliveries, maxDeliveries: this.#maxDeliveries },
    );
    if (!this.recorder || (await this.recorder.isKnown(registration.name, event, signal))) return;
    await this.recorder.record(
      {
        ...describe(delivery, error),
        handler: registration.name,
        event,
        eventId: event.id,
        eventType: event.type,
        totalAttempts: deliveries,
      },
      error,
      signal,
    );
  }

  #wanting(eventType: string): Registration[] {
    return this.#registrations.filter(({ matches }) => matches(eventType));
  }

  #invocation(registration: Registration, delivery: Delivery, signal: AbortSignal): Invocation {
    return {
      registration,
      delivery,
      reread: () => this.#read(delivery),
      signal,
      attempt: 1,
      tx: undefined,
      afterCommit: (run) => run(),
      progress: { attempts: 0, entered: false },
    };
  }
}
