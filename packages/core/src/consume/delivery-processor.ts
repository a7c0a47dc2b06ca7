import { Abort } from './abort.ts';
import type { Catalogue } from '../event/catalogue.ts';
import type { Codec } from '../event/codec.ts';
import type { EventEnvelope } from '../event/envelope.ts';
import { EventError } from '../errors.ts';
import type { HealthReasons } from '../health.ts';
import type { Observer } from '../observer.ts';
import { describe, type DeadLetterRecorder } from './policies/dead-letter.ts';
import type { Invocation, Registration } from './policies/step.ts';
import { messageOfThrown } from '../thrown.ts';
import type { Coordinates } from '../coordinates.ts';
import type { Delivery } from '../transport/transport.ts';

/** A delivery that a stop left for another worker. */
export interface UnfinishedDelivery {
  readonly eventId: string;
  /** The handler it was in; `undefined` if it had not begun. */
  readonly handler: string | undefined;
  readonly coordinates: Coordinates;
}

/** A delivery between its admission and its end. */
interface UnderWay {
  readonly abort: Abort;
  handler: string | undefined;
}

/** Takes one delivery through every handler that wants it, and settles it when all have ended. */
export class DeliveryProcessor {
  readonly #group: string | null;
  readonly #codec: Codec;
  readonly #catalogue: Catalogue | undefined;
  readonly #recorder: DeadLetterRecorder | undefined;
  readonly #maxDeliveries: number;
  readonly #observe: Observer;
  readonly #reasons: HealthReasons;
  readonly #registrations: readonly Registration[];
  readonly #underWay = new Map<Delivery, UnderWay>();

  constructor(options: {
    group: string | null;
    codec: Codec;
    catalogue: Catalogue | undefined;
    /** Stores dead letters; absent for broadcast subscriptions. */
    recorder: DeadLetterRecorder | undefined;
    maxDeliveries: number;
    observe: Observer;
    reasons: HealthReasons;
    registrations: readonly Registration[];
  }) {
    this.#group = options.group;
    this.#codec = options.codec;
    this.#catalogue = options.catalogue;
    this.#recorder = options.recorder;
    this.#maxDeliveries = options.maxDeliveries;
    this.#observe = options.observe;
    this.#reasons = options.reasons;
    this.#registrations = options.registrations;
  }

  /**
   * Notes a delivery when it arrives, before its turn comes.
   *
   * @returns False if no handler wants it; it is settled then.
   */
  admit(delivery: Delivery): boolean {
    const { type } = delivery.message;
    // A transport that could not tell the type knows nothing about who wants the message.
    if (type !== '' && this.#wanting(type).length === 0) {
      this.#reportUnhandled(type);
      delivery.settle();
      return false;
    }
    this.#underWay.set(delivery, { abort: new Abort(delivery.signal), handler: undefined });
    return true;
  }

  /** Runs an admitted delivery to its end; never rejects. */
  async process(delivery: Delivery): Promise<void> {
    const state = this.#underWay.get(delivery);
    if (!state) return;
    const { abort } = state;
    try {
      if (!abort.aborted) await this.#runHandlers(delivery, state);
      if (!abort.aborted) delivery.settle();
    } catch (error) {
      // An abandoned delivery stays unsettled, and another worker gets it. So does one that fell over
      // a mistake of the engine or of an adapter: better twice than never.
      if (!abort.aborted) this.#reportBroken(delivery, state.handler, error);
    } finally {
      abort.release();
      this.#underWay.delete(delivery);
    }
  }

  /** Gives up everything under way: aborts its signals, leaves it unsettled, and names it. */
  abandon(reason: EventError): UnfinishedDelivery[] {
    return [...this.#underWay].map(([delivery, { abort, handler }]) => {
      abort.abort(reason);
      return this.#reportUnfinished(delivery, handler);
    });
  }

  /**
   * Runs the event of a dead letter once more.
   *
   * @param handler The failing handler, which gets one attempt. Empty for a message that could not be
   *   read: every handler that wants it takes it like a new one, with a dead letter of its own if it fails.
   * @throws What the handler threw; why the message still cannot be read; the signal's reason if it is
   *   aborted before a handler could begin.
   */
  async redrive(delivery: Delivery, handler: string): Promise<void> {
    const { type } = this.#read(delivery);
    const wanting = this.#wanting(type);
    const chosen = handler === '' ? wanting : wanting.filter(({ name }) => name === handler);
    if (chosen.length === 0) throw this.#handlerMissing(delivery, handler, type);
    const abort = new Abort(delivery.signal);
    abort.follow();
    try {
      for (const registration of chosen) {
        delivery.signal.throwIfAborted();
        const event = this.#read(delivery);
        const run = handler === '' ? registration.run : registration.runOnce;
        await run(event, this.#invocation(registration, delivery, event, abort));
      }
    } finally {
      abort.release();
    }
  }

  #runHandlers(delivery: Delivery, state: UnderWay): Promise<void> {
    const { coordinates, deliveryCount, message } = delivery;
    this.#observe({
      kind: 'delivered',
      group: this.#group ?? '',
      eventId: message.id,
      deliveryCount,
      coordinates,
    });
    let event: EventEnvelope;
    try {
      event = this.#read(delivery);
    } catch (error) {
      return this.#recordUnreadable(delivery, error, state.abort);
    }
    const wanting = this.#wanting(event.type);
    if (wanting.length === 0) this.#reportUnhandled(event.type);
    // Nearly always it is one, and every wait of every event counts.
    if (wanting.length === 1) return this.#runHandler(wanting[0]!, event, delivery, state);
    return this.#runInTurn(wanting, event, delivery, state);
  }

  async #runInTurn(
    wanting: readonly Registration[],
    first: EventEnvelope,
    delivery: Delivery,
    state: UnderWay,
  ): Promise<void> {
    for (const registration of wanting) {
      if (state.abort.aborted) return;
      // A handler may change the event that it was given; the next one gets the original.
      const event = registration === wanting[0] ? first : this.#read(delivery);
      await this.#runHandler(registration, event, delivery, state);
    }
  }

  #runHandler(
    registration: Registration,
    event: EventEnvelope,
    delivery: Delivery,
    state: UnderWay,
  ): Promise<void> {
    state.handler = registration.name;
    const invocation = this.#invocation(registration, delivery, event, state.abort);
    const { deliveryCount } = delivery;
    if (deliveryCount !== undefined && deliveryCount > this.#maxDeliveries) {
      return this.#recordCrashLoop(event, invocation);
    }
    const run = registration.run(event, invocation);
    return this.#group === null ? run.catch((error) => this.#failed(invocation, error)) : run;
  }

  /** A broadcast has neither dead letters nor repetitions. */
  #failed({ identity, abort }: Invocation, error: unknown): void {
    if (abort.aborted) throw error;
    const { type: eventType, id: eventId } = identity;
    this.#observe({ kind: 'broadcast-failed', eventType, eventId, error });
  }

  #read(delivery: Delivery): EventEnvelope {
    const event = this.#codec.decode(delivery.message);
    return this.#catalogue?.upcast(event) ?? event;
  }

  async #recordUnreadable(delivery: Delivery, error: unknown, abort: Abort): Promise<void> {
    const { id: eventId, type: eventType } = delivery.message;
    if (!this.#recorder) {
      this.#observe({ kind: 'broadcast-failed', eventType, eventId, error });
      return;
    }
    const { mayBeRepeated } = delivery;
    if (mayBeRepeated && (await this.#recorder.isKnownUnreadable(delivery, abort.signal))) return;
    await this.#recorder.record(
      { ...describe(delivery, error), handler: '', eventId, eventType, totalAttempts: 1 },
      error,
      abort.signal,
    );
  }

  async #recordCrashLoop(event: EventEnvelope, invocation: Invocation): Promise<void> {
    const { registration, delivery, abort } = invocation;
    const { id: eventId, type: eventType } = event;
    const { name: handler } = registration;
    const deliveries = delivery.deliveryCount!;
    const error = new EventError(
      'DELIVERIES_EXCEEDED',
      `${eventType} ${eventId} was delivered ${deliveries} times and never finished; look for a handler that kills its process`,
      { deliveries, maxDeliveries: this.#maxDeliveries },
    );
    if (!this.#recorder || (await this.#recorder.isKnown(handler, event, abort.signal))) return;
    await this.#recorder.record(
      {
        ...describe(delivery, error),
        handler,
        event,
        eventId,
        eventType,
        totalAttempts: deliveries,
      },
      error,
      abort.signal,
    );
  }

  #wanting(eventType: string): Registration[] {
    return this.#registrations.filter(({ matches }) => matches(eventType));
  }

  #invocation(
    registration: Registration,
    delivery: Delivery,
    { id, source, type }: EventEnvelope,
    abort: Abort,
  ): Invocation {
    return {
      registration,
      delivery,
      identity: { id, source, type },
      reread: () => this.#read(delivery),
      abort,
      giveUp: (reason) => abort.abort(reason),
      attempt: 1,
      tx: undefined,
      afterCommit: (run) => run(),
      progress: { attempts: 0, entered: false },
    };
  }

  #handlerMissing(delivery: Delivery, handler: string, eventType: string): EventError {
    const capability = handler === '' ? `a handler for ${eventType}` : `handler ${handler}`;
    return new EventError(
      'CAPABILITY_MISSING',
      `group ${this.#group} has no ${handler === '' ? 'handler' : capability} for ${eventType}; start a worker that has it`,
      { transport: delivery.coordinates.transport, capability },
    );
  }

  #reportUnhandled(eventType: string): void {
    this.#observe({ kind: 'unhandled-type', group: this.#group ?? '', eventType });
  }

  #reportUnfinished(delivery: Delivery, handler: string | undefined): UnfinishedDelivery {
    const { coordinates, message } = delivery;
    const unfinished = { eventId: message.id, handler, coordinates };
    this.#observe({ kind: 'left-unfinished', group: this.#group ?? '', ...unfinished });
    return unfinished;
  }

  #reportBroken(delivery: Delivery, handler: string | undefined, error: unknown): void {
    this.#reasons.add(delivery, `an event stays unsettled: ${messageOfThrown(error)}`);
    this.#reportUnfinished(delivery, handler);
  }
}
