import { aboutMessage } from '../event/about-event.ts';
import type { Abort } from './abort.ts';
import type { Catalogue } from '../event/catalogue.ts';
import type { Codec } from '../event/codec.ts';
import type { EventEnvelope } from '../event/envelope.ts';
import { EventError } from '../errors.ts';
import { isCalled } from './handler-name.ts';
import type { Lanes } from './lanes.ts';
import type { Observer } from '../observer.ts';
import { describe, type DeadLetterRecorder } from './policies/dead-letter.ts';
import { aboutInvocation, type Invocation, type Registration } from './policies/step.ts';
import type { Delivery } from '../transport/transport.ts';

export interface HandlerRunnerOptions {
  readonly group: string | null;
  readonly codec: Codec;
  readonly catalogue: Catalogue | undefined;
  /** Stores dead letters; absent for broadcast subscriptions. */
  readonly recorder: DeadLetterRecorder | undefined;
  readonly maxDeliveries: number;
  readonly observe: Observer;
  /** In which every event is handled. */
  readonly lanes: Lanes;
  readonly registrations: readonly Registration[];
}

/** An event as it was received, and brought up to date. */
export interface ReadEvent {
  readonly raw: EventEnvelope;
  readonly event: EventEnvelope;
}

/** Reads messages, finds the handlers that want them, and runs one event through one handler. */
export class HandlerRunner {
  readonly #options: HandlerRunnerOptions;

  constructor(options: HandlerRunnerOptions) {
    this.#options = options;
  }

  /** @throws {EventError} Why the message cannot be read. */
  read({ message }: Pick<Delivery, 'message'>): ReadEvent {
    const { codec, catalogue } = this.#options;
    const raw = codec.decode(message);
    return { raw, event: catalogue?.upcast(raw) ?? raw };
  }

  wanting(eventType: string): Registration[] {
    return this.#options.registrations.filter(({ matches }) => matches(eventType));
  }

  /** Says whether a delivery that has begun waits, with no handler running. */
  isWaiting({ message }: Delivery): boolean {
    return this.#options.lanes.isAside(message.key);
  }

  /** The handler of a name, also of one that it had before. */
  named(name: string): Registration | undefined {
    return this.#options.registrations.find((registration) => isCalled(registration, name));
  }

  /** Runs the whole chain of policies, at whose end the event is handled or has a dead letter. */
  run(
    registration: Registration,
    event: EventEnvelope,
    delivery: Delivery,
    abort: Abort,
  ): Promise<void> {
    let invocation = this.invocation(registration, delivery, event, abort);
    const { maxDeliveries } = this.#options;
    if ((delivery.deliveryCount ?? 0) > maxDeliveries) {
      invocation = refused(invocation, maxDeliveries);
    }
    const run = registration.run(event, invocation);
    if (this.#options.group !== null) return run;
    return run.catch((error) => this.#failed(invocation, error));
  }

  /** Makes a dead letter of a message that cannot be read. */
  async recordUnreadable(delivery: Delivery, error: unknown, abort: Abort): Promise<void> {
    const { recorder, observe } = this.#options;
    const { id: eventId, type: eventType } = delivery.message;
    if (!recorder) {
      observe({ kind: 'broadcast-failed', error, ...aboutMessage(delivery.message, '') });
      return;
    }
    if (delivery.mayBeRepeated && (await recorder.isKnownUnreadable(delivery, abort.signal)))
      return;
    await recorder.record(
      { ...describe(delivery, error), handler: '', eventId, eventType, totalAttempts: 1 },
      error,
      abort.signal,
    );
  }

  /** As `recordUnreadable`, for one handler alone if the event can at least be decoded: the others have had it. */
  async recordUnreadableFor(
    { name, formerly }: Registration,
    delivery: Delivery,
    error: unknown,
    abort: Abort,
  ): Promise<void> {
    const { recorder } = this.#options;
    const event = this.#decoded(delivery);
    if (!event || !recorder) return await this.recordUnreadable(delivery, error, abort);
    if (await recorder.isKnown({ name, formerly }, event, abort.signal)) return;
    const { id: eventId, type: eventType } = event;
    const failure = { ...describe(delivery, error), event, eventId, eventType, totalAttempts: 1 };
    await recorder.record({ ...failure, handler: name }, error, abort.signal);
  }

  #decoded({ message }: Delivery): EventEnvelope | undefined {
    try {
      return this.#options.codec.decode(message);
    } catch {
      // Why it cannot be read is known to whoever asks.
      return undefined;
    }
  }

  invocation(
    registration: Registration,
    delivery: Delivery,
    { id, source, type, correlationId }: EventEnvelope,
    abort: Abort,
  ): Invocation {
    return {
      registration,
      delivery,
      identity: { id, source, type, ...(correlationId ? { correlationId } : {}) },
      reread: () => this.read(delivery).event,
      abort,
      giveUp: (reason) => abort.abort(reason),
      attempt: 1,
      tx: undefined,
      refusal: undefined,
      afterCommit: (run) => run(),
      stepAside: (wait) => this.#options.lanes.stepAside(delivery.message.key, wait),
      progress: { attempts: 0, entered: false, lostConnections: 0 },
    };
  }

  /** A broadcast has neither dead letters nor repetitions. */
  #failed(invocation: Invocation, error: unknown): void {
    if (invocation.abort.aborted) throw error;
    this.#options.observe({ kind: 'broadcast-failed', error, ...aboutInvocation(invocation, '') });
  }
}

/**
 * An event that was delivered too often goes through its policies once more, for the inbox may know that it is
 * handled; its handler is not called.
 */
function refused(invocation: Invocation, maxDeliveries: number): Invocation {
  const { identity, delivery } = invocation;
  const { type, id } = identity;
  const deliveries = delivery.deliveryCount!;
  const refusal = new EventError(
    'DELIVERIES_EXCEEDED',
    `${type} ${id} was delivered ${deliveries} times and never finished; look for a handler that kills its process`,
    { deliveries, maxDeliveries },
  );
  return { ...invocation, refusal, progress: { ...invocation.progress, attempts: deliveries - 1 } };
}
