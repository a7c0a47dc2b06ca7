import { aboutEvent, aboutMessage } from '../event/about-event.ts';
import { BatchedLookup } from './batched-lookup.ts';
import type { Clock } from '../clock.ts';
import { isEventError } from '../errors.ts';
import type { Codec } from '../event/codec.ts';
import type { EventEnvelope } from '../event/envelope.ts';
import type { GroupMembership } from './group-membership.ts';
import { GrowingDelay } from '../growing-delay.ts';
import type { HandlerShare, OwedHandler } from './handler-share.ts';
import { maxHandoverQuestions } from '../transport/handover-queue.ts';
import type {
  Handover,
  HandoverAnswer,
  HandoverQuestion,
  HandoverQueue,
} from '../transport/handover-queue.ts';
import type { HealthReasons } from '../health.ts';
import type { EventLabels, Observer } from '../observer.ts';
import type { TransactionRunner } from '../transaction.ts';
import { UnwrittenSettlements } from './unwritten-settlements.ts';
import type { Delivery, Judgement, Unwritten } from '../transport/transport.ts';

export interface HandoversOptions {
  readonly group: string;
  /** The first is this instance's own; the transport's may come behind it. */
  readonly queues: readonly HandoverQueue[];
  readonly membership: GroupMembership;
  readonly codec: Codec;
  /** For transports with a fence, of the queue's own database. */
  readonly transactions: TransactionRunner | undefined;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly reasons: HealthReasons;
  /** Called when something was left for a handler of this instance. */
  readonly onOwn: () => void;
}

/** A handler of this instance, as handovers know it. */
interface OwnHandler {
  readonly name: string;
  readonly formerly: readonly string[];
  readonly derived: boolean;
}

/** Pauses between two tries to reach the queue, in milliseconds. */
const retryDelays = { firstMs: 100, maxMs: 5_000 };

/** Leaves events for handlers that other instances have, and knows what others have left for this one. */
export class Handovers implements Judgement {
  readonly #options: HandoversOptions;
  readonly #lookups: readonly BatchedLookup<HandoverQuestion, HandoverAnswer>[];
  readonly #unwritten = new UnwrittenSettlements();
  /** Queues in which nothing waits for handlers of this instance; of others that is assumed. */
  readonly #empty = new Set<HandoverQueue>();

  constructor(options: HandoversOptions) {
    this.#options = options;
    this.#lookups = options.queues.map(
      (queue) => new BatchedLookup((questions) => queue.look(questions), maxHandoverQuestions),
    );
  }

  get version(): string {
    return this.#options.membership.version;
  }

  /** Who handles an event. @param raw As it was decoded, before it was brought up to date. */
  shareOf({ type, version }: Pick<EventEnvelope, 'type' | 'version'>): HandlerShare {
    return this.#options.membership.shares.of(type, version);
  }

  /**
   * Leaves an event for handlers, and tries so until it is done.
   *
   * @throws Why it could not be done, once `signal` is aborted; `CLAIM_LOST` from a former owner.
   */
  async leave(
    delivery: Delivery,
    raw: EventEnvelope,
    owed: readonly OwedHandler[],
    signal: AbortSignal,
  ): Promise<void> {
    const { membership } = this.#options;
    await this.#untilDone(async () => {
      await this.#unwritten.judgeBy(membership.version);
      await this.#add(delivery, raw, owed);
    }, signal);
  }

  /** Judges a delivery by the registry as it is now. @returns The registry's version. */
  async judgeAnew(delivery: Delivery, signal: AbortSignal): Promise<string> {
    return await this.#untilDone(async () => {
      const { version } = await this.#options.membership.refreshAnew();
      await this.#unwritten.judgeBy(version);
      await this.#leaveOwed([delivery]);
      return version;
    }, signal);
  }

  /** Reads the registry as it is now. @returns Its version. */
  async lookAnew(signal: AbortSignal): Promise<string> {
    const { membership } = this.#options;
    return (await this.#untilDone(() => membership.refreshAnew(), signal)).version;
  }

  async renew(settled: readonly Delivery[]): Promise<string> {
    const { version } = await this.#options.membership.refreshAnew();
    await this.#leaveOwed(settled);
    return version;
  }

  follow(unwritten: Unwritten): void {
    this.#unwritten.follow(unwritten);
  }

  /**
   * Says whether a handler has to ask before it gets a delivery: where others may have left events of the same
   * key for it, which come first, or this very one.
   */
  mustAsk({ mayBeRepeated }: Delivery): boolean {
    const { queues, membership } = this.#options;
    if (mayBeRepeated || membership.hasCompany) return true;
    return queues.some((queue) => !this.#empty.has(queue));
  }

  /** Takes note of whether anything waits in a queue for handlers of this instance. */
  noteWaiting(queue: HandoverQueue, waits: boolean): void {
    if (waits) this.#empty.delete(queue);
    else this.#empty.add(queue);
  }

  /**
   * Asks whether a handler gets a delivery now. Where older events of its key wait for it, this one is left
   * behind them.
   */
  async mayHandle(
    { name, formerly, derived }: OwnHandler,
    delivery: Delivery,
    raw: EventEnvelope,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { group, observe } = this.#options;
    const { id: eventId, source } = raw;
    const others = [...this.shareOf(raw).takers].filter(([, taker]) => taker === name);
    const handlers = [...new Set([name, ...formerly, ...others.map(([other]) => other)])];
    const question = { group, handlers, key: delivery.message.key, source, eventId };
    const answers = await this.#untilDone(
      () => Promise.all(this.#lookups.map((lookup) => lookup.find(question))),
      signal,
    );
    if (answers.includes('known')) {
      const { key } = delivery.message;
      observe({ kind: 'handover-known', ...aboutEvent(raw, { group, handler: name, key }) });
      return false;
    }
    const behind = answers.indexOf('waiting');
    if (behind === -1) return true;
    await this.#leaveBehind(
      this.#options.queues[behind]!,
      { name, derived },
      delivery,
      raw,
      signal,
    );
    return false;
  }

  async #leaveOwed(settled: readonly Delivery[]): Promise<void> {
    const { shares } = this.#options.membership;
    for (const delivery of settled) {
      const raw = this.#decoded(delivery);
      const owed = raw ? shares.of(raw.type, raw.version).owed : [];
      if (raw && owed.length > 0) await this.#add(delivery, raw, owed);
    }
  }

  async #leaveBehind(
    queue: HandoverQueue,
    handler: OwedHandler,
    delivery: Delivery,
    raw: EventEnvelope,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#untilDone(() => this.#add(delivery, raw, [handler], queue), signal);
    this.#empty.delete(queue);
    this.#options.onOwn();
  }

  /** Where all of them can find it: instances that share no database with this one have the transport's alone. */
  #queueForOthers(): HandoverQueue {
    const { queues, membership } = this.#options;
    const { sharedBy } = membership.set;
    const isShared = membership.copy.sets.every((set) => set.sharedBy === sharedBy);
    return isShared ? queues[0]! : queues.at(-1)!;
  }

  async #add(
    delivery: Delivery,
    raw: EventEnvelope,
    owed: readonly OwedHandler[],
    queue: HandoverQueue = this.#queueForOthers(),
  ): Promise<void> {
    const { group, transactions, observe } = this.#options;
    const { message, coordinates } = delivery;
    const { id: eventId, type: eventType, version: eventVersion, source } = raw;
    const event = { eventId, eventType, eventVersion, source, coordinates, message };
    const rows = owed.map(({ name: handler, derived }) => ({ group, handler, derived, ...event }));
    const isFenced = delivery.fence && transactions && queue === this.#options.queues[0];
    if (!isFenced) await queue.add(rows, { tx: null });
    else {
      await transactions.run(
        async (tx) => {
          // A former owner, frozen for a while, would leave what the next one has handled by now.
          await delivery.fence!(tx);
          await queue.add(rows, { tx });
        },
        { holds: 'briefly' },
      );
    }
    for (const { handler } of rows) {
      const about = aboutEvent(raw, { group, handler, key: message.key });
      observe({ kind: 'handed-over', ...about, coordinates });
    }
  }

  /** What an observation says of something that was left. */
  labelsOf({ group, handler, message, source }: Handover): EventLabels {
    const raw = this.#decoded({ message });
    return {
      ...aboutMessage(message, group, handler),
      ...(raw ? aboutEvent(raw, { group, handler, key: message.key }) : {}),
      source,
    };
  }

  #decoded({ message }: Pick<Delivery, 'message'>): EventEnvelope | undefined {
    try {
      return this.#options.codec.decode(message);
    } catch {
      // What nobody can read has its dead letter.
      return undefined;
    }
  }

  async #untilDone<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { clock, reasons, observe, group } = this.#options;
    const waiting = {};
    const delay = new GrowingDelay(retryDelays);
    try {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          if (signal.aborted || isEventError(error, 'CLAIM_LOST')) throw error;
          reasons.add(waiting, 'handovers cannot be stored or looked up');
          observe({ kind: 'handover-failed', group, error });
          await clock.sleep(delay.next(), signal);
          if (signal.aborted) throw error;
        }
      }
    } finally {
      reasons.remove(waiting);
    }
  }
}
