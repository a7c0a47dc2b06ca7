import type { Abort } from '../abort.ts';
import type { EventEnvelope } from '../../event/envelope.ts';
import type { HandlerContext } from '../handler.ts';
import type { Logger } from '../../observer.ts';
import type { Coordinates } from '../../coordinates.ts';
import type { Invocation } from './step.ts';

/** What a handler is told about one attempt. Its signal is made when somebody reads it. */
export class InvocationContext implements HandlerContext {
  readonly group: string | null;
  readonly handler: string;
  readonly correlationId: string | undefined;
  readonly causationId: string | undefined;
  readonly attempt: HandlerContext['attempt'];
  declare readonly signal: AbortSignal;
  declare readonly tx?: object;
  readonly key: string;
  readonly coordinates: Coordinates;
  readonly logger: Logger;
  readonly #abort: Abort;

  /** Shared by all contexts: a getter of its own for each would cost more than the signal. */
  static readonly #signal: PropertyDescriptor = {
    enumerable: true,
    get(this: InvocationContext): AbortSignal {
      return this.#abort.signal;
    },
  };

  constructor(
    event: EventEnvelope,
    { registration, delivery, attempt, abort, tx }: Invocation,
    { group, logger }: { group: string | null; logger: Logger },
  ) {
    this.group = group;
    this.handler = registration.name;
    this.correlationId = event.correlationId;
    this.causationId = event.causationId;
    this.attempt = { number: attempt, delivery: delivery.deliveryCount };
    if (tx) this.tx = tx;
    this.key = delivery.message.key;
    this.coordinates = delivery.coordinates;
    this.logger = logger;
    this.#abort = abort;
    // A property of the context itself, so that middleware can hand on a copy.
    Object.defineProperty(this, 'signal', InvocationContext.#signal);
  }
}
