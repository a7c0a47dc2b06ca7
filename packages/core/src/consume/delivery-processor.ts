import { aboutEvent, aboutMessage } from '../event/about-event.ts';
import { Abort } from './abort.ts';
import type { EventEnvelope } from '../event/envelope.ts';
import type { EventError } from '../errors.ts';
import type { HandlerRunner, ReadEvent } from './handler-runner.ts';
import type { HandlerShare } from './handler-share.ts';
import type { Handovers } from './handovers.ts';
import type { HealthReasons } from '../health.ts';
import type { Observer } from '../observer.ts';
import type { Registration } from './policies/step.ts';
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

export interface DeliveryProcessorOptions {
  readonly group: string | null;
  readonly runner: HandlerRunner;
  /** Absent for broadcasts, and where nothing can be left for another instance. */
  readonly handovers: Handovers | undefined;
  readonly observe: Observer;
  readonly reasons: HealthReasons;
}

/** A delivery between its admission and its end. */
interface UnderWay {
  readonly abort: Abort;
  handler: string | undefined;
  /** Version of the registry by which it was decided whose it is. */
  judgedBy: string | undefined;
}

/** Takes one delivery through every handler that wants it, and settles it when all have ended. */
export class DeliveryProcessor {
  readonly #options: DeliveryProcessorOptions;
  readonly #underWay = new Map<Delivery, UnderWay>();

  constructor(options: DeliveryProcessorOptions) {
    this.#options = options;
  }

  /**
   * Notes a delivery when it arrives, before its turn comes.
   *
   * @returns False if no handler wants it, here or elsewhere; it is settled then.
   */
  admit(delivery: Delivery): boolean {
    const { runner, handovers } = this.#options;
    const { type } = delivery.message;
    // A transport that could not tell the type knows nothing about who wants the message.
    if (type !== '' && runner.wanting(type).length === 0) {
      const owed = handovers?.shareOf({ type, version: 1 }).owed ?? [];
      if (owed.length === 0) {
        this.#reportUnhandled(delivery);
        delivery.settle();
        return false;
      }
    }
    const abort = new Abort(delivery.signal);
    this.#underWay.set(delivery, { abort, handler: undefined, judgedBy: undefined });
    return true;
  }

  /** Runs an admitted delivery to its end; never rejects. */
  async process(delivery: Delivery): Promise<void> {
    const state = this.#underWay.get(delivery);
    if (!state) return;
    const { abort } = state;
    const { handovers } = this.#options;
    try {
      if (!abort.aborted) await this.#runHandlers(delivery, state);
      if (handovers && state.judgedBy !== handovers.version) await this.#judgeAnew(delivery, state);
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
      // Whoever waits for what is away, however often it is given back, kills no process.
      if (handler === undefined || this.#options.runner.isWaiting(delivery)) delivery.takeBack?.();
      abort.abort(reason);
      return this.#reportUnfinished(delivery, handler);
    });
  }

  /** Until the registry that it was judged by is the newest: it may change again meanwhile. */
  async #judgeAnew(delivery: Delivery, state: UnderWay): Promise<void> {
    const handovers = this.#options.handovers!;
    while (!state.abort.aborted && state.judgedBy !== handovers.version) {
      state.judgedBy = await handovers.judgeAnew(delivery, state.abort.signal);
    }
  }

  #runHandlers(delivery: Delivery, state: UnderWay): Promise<void> {
    const { runner, handovers, group, observe } = this.#options;
    const { coordinates, deliveryCount, message } = delivery;
    const about = aboutMessage(message, group ?? '');
    observe({ kind: 'delivered', ...about, deliveryCount, coordinates });
    state.judgedBy = handovers?.version;
    let read: ReadEvent;
    try {
      read = runner.read(delivery);
    } catch (error) {
      return runner.recordUnreadable(delivery, error, state.abort);
    }
    const wanting = runner.wanting(read.event.type);
    if (handovers) {
      const share = handovers.shareOf(read.raw);
      const asks = wanting.length > 0 && (share.isNewer || handovers.mustAsk(delivery));
      if (share.owed.length > 0 || asks) {
        return this.#runShared(wanting, read, share, delivery, state);
      }
    }
    if (wanting.length === 0) this.#reportUnhandled(delivery, read.event);
    // Nearly always it is one, and every wait of every event counts.
    if (wanting.length === 1) return this.#runHandler(wanting[0]!, read.event, delivery, state);
    return this.#runInTurn(wanting, read.event, delivery, state);
  }

  /** Leaves for others what is theirs, and runs of one's own what does not wait for older events of its key. */
  async #runShared(
    wanting: readonly Registration[],
    { raw, event }: ReadEvent,
    known: HandlerShare,
    delivery: Delivery,
    state: UnderWay,
  ): Promise<void> {
    const handovers = this.#options.handovers!;
    const { abort } = state;
    let share = known;
    if (known.isNewer && known.owed.length === 0) {
      // Handled here by a handler that does not know it, it would count as handled for the one that does.
      state.judgedBy = await handovers.lookAnew(abort.signal);
      share = handovers.shareOf(raw);
    }
    if (share.owed.length > 0) await handovers.leave(delivery, raw, share.owed, abort.signal);
    const own = wanting.filter(({ name }) => share.own.has(name));
    const asks = handovers.mustAsk(delivery);
    const may = await Promise.all(
      own.map(async (each) => {
        return !asks || (await handovers.mayHandle(each, delivery, raw, abort.signal));
      }),
    );
    const ready = own.filter((_, index) => may[index]);
    return await this.#runInTurn(ready, event, delivery, state);
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
      const isFirst = registration === wanting[0];
      const event = isFirst ? first : this.#options.runner.read(delivery).event;
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
    return this.#options.runner.run(registration, event, delivery, state.abort);
  }

  #reportUnhandled({ message }: Delivery, event?: EventEnvelope): void {
    const { observe } = this.#options;
    const group = this.#options.group ?? '';
    const about = aboutMessage(message, group);
    const read = event ? aboutEvent(event, { group, key: message.key }) : {};
    observe({ kind: 'unhandled-type', ...about, ...read });
  }

  #reportUnfinished(delivery: Delivery, handler: string | undefined): UnfinishedDelivery {
    const { group, observe } = this.#options;
    const { coordinates, message } = delivery;
    const about = aboutMessage(message, group ?? '', handler);
    observe({ kind: 'left-unfinished', ...about, coordinates });
    return { eventId: message.id, handler, coordinates };
  }

  #reportBroken(delivery: Delivery, handler: string | undefined, error: unknown): void {
    const { reasons } = this.#options;
    reasons.add(delivery, `an event stays unsettled: ${messageOfThrown(error)}`);
    this.#reportUnfinished(delivery, handler);
  }
}
