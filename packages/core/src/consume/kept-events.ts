import { Abort } from './abort.ts';
import { throwIfEnded } from '../end-signal.ts';
import { EventError } from '../errors.ts';
import type { EventEnvelope } from '../event/envelope.ts';
import { isCalled } from './handler-name.ts';
import type { HandlerRunner } from './handler-runner.ts';
import type { Registration } from './policies/step.ts';
import type { Delivery } from '../transport/transport.ts';

/** Runs events that were kept outside the transport: dead letters, and what other instances have left. */
export class KeptEvents {
  readonly #group: string | null;
  readonly #runner: HandlerRunner;

  constructor({ group, runner }: { group: string | null; runner: HandlerRunner }) {
    this.#group = group;
    this.#runner = runner;
  }

  /**
   * Runs the event of a dead letter once more.
   *
   * @param handler The failing handler, by its name then, which gets one attempt. Empty for a message that could not be
   *   read: every handler that wants it takes it like a new one, with a dead letter of its own if it fails.
   * @throws What the handler threw; why the message still cannot be read; the signal's reason if it is
   *   aborted before a handler could begin.
   */
  async redrive(delivery: Delivery, handler: string): Promise<void> {
    const { type } = this.#runner.read(delivery).event;
    const wanting = this.#runner.wanting(type);
    const chosen = handler === '' ? wanting : wanting.filter((each) => isCalled(each, handler));
    if (chosen.length === 0) throw this.#handlerMissing(delivery, handler, type);
    await this.#underAbort(delivery, async (abort) => {
      for (const registration of chosen) {
        throwIfEnded(delivery.signal);
        await this.#runKept(registration, handler === '' ? 'run' : 'runOnce', delivery, abort);
      }
    });
  }

  /**
   * Runs what was left for a handler, like a new delivery: it is handled, or has a dead letter, when this
   * resolves.
   *
   * @param eventType As it was left.
   * @throws What keeps it from either.
   */
  async takeOver(delivery: Delivery, handler: string, eventType: string): Promise<void> {
    const registration = this.#runner.named(handler);
    if (!registration) throw this.#handlerMissing(delivery, handler, eventType);
    await this.#underAbort(delivery, async (abort) => {
      let event: EventEnvelope;
      try {
        ({ event } = this.#runner.read(delivery));
      } catch (error) {
        return await this.#runner.recordUnreadableFor(registration, delivery, error, abort);
      }
      await this.#runner.run(registration, event, delivery, abort);
    });
  }

  async #runKept(
    registration: Registration,
    chain: 'run' | 'runOnce',
    delivery: Delivery,
    abort: Abort,
  ): Promise<void> {
    const { event } = this.#runner.read(delivery);
    const invocation = this.#runner.invocation(registration, delivery, event, abort);
    await registration[chain](event, invocation);
  }

  async #underAbort(delivery: Delivery, work: (abort: Abort) => Promise<void>): Promise<void> {
    const abort = new Abort(delivery.signal);
    abort.follow();
    try {
      await work(abort);
    } finally {
      abort.release();
    }
  }

  #handlerMissing(delivery: Delivery, handler: string, eventType: string): EventError {
    const capability = handler === '' ? `a handler for ${eventType}` : `handler ${handler}`;
    return new EventError(
      'CAPABILITY_MISSING',
      `group ${this.#group} has no ${handler === '' ? 'handler' : capability} for ${eventType}; start a worker that has it`,
      { transport: delivery.coordinates.transport, capability },
    );
  }
}
