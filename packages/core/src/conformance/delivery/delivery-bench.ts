import { JsonCodec } from '../../event/cloudevents/json-codec.ts';
import { ConsumerGroup } from '../../consume/consumer-group.ts';
import type { ConsumerGroupOptions } from '../../consume/consumer-group-options.ts';
import { isDeadLetterQueue, type DeadLetterQueue } from '../../consume/dead-letter-queue.ts';
import {
  maxDeadLetterKeys,
  type DeadLetterKey,
  type DeadLetterSink,
} from '../../consume/dead-letter-sink.ts';
import type { DeadLetter } from '../../consume/dead-letter.ts';
import type { EventEnvelope } from '../../event/envelope.ts';
import type { HandlerContext } from '../../consume/handler.ts';
import { randomIds } from '../../ids.ts';
import type { Inbox } from '../../consume/inbox.ts';
import { ManualClock } from '../../memory/manual-clock.ts';
import type { Observation } from '../../observer.ts';
import type { TransactionRunner } from '../../transaction.ts';
import type { Message } from '../../event/message.ts';
import type { HandoverQueue } from '../../transport/handover-queue.ts';
import type { Transport, TransportCapabilities } from '../../transport/transport.ts';
import { keyOf } from '../dead-letter-queue/failures.ts';
import { changed } from '../faults/changed.ts';
import { waitQuietly, waitUntil } from '../wait-until.ts';

/** What a case of deliveries works on. */
export interface DeliverySubject {
  /** Another instance on the same broker, as another process would have it; not connected yet. */
  open(): Transport | Promise<Transport>;
  /** A queue, or where `redrives` is false a sink alone. */
  readonly deadLetters: DeadLetterSink;
  /** For handlers with an inbox; needed where `inbox` is claimed. */
  readonly transactions?: TransactionRunner;
  readonly inbox?: Inbox;
  /** Where instances of a group leave events for each other; the transport's own unless given. */
  readonly handovers?: HandoverQueue;
  /** Takes down what `create` put up. */
  cleanup?(): Promise<void>;
}

export interface DeliveryConformanceOptions {
  /** What the transport claims. */
  readonly capabilities: TransportCapabilities;
  /** `create` offers transactions and an inbox, so handlers with `{ inbox: true }` are tried too. */
  readonly inbox: boolean;
  /** False where `create` offers dead letters that are recorded only; true unless given. */
  readonly redrives?: boolean;
  /**
   * False where neither `create` nor the transport offers a queue of handovers, so that instances of one group must
   * have the same handlers; true unless given.
   */
  readonly handsOver?: boolean;
  /** Called for each case. Cases keep apart by themselves, so it may be the same broker each time. */
  create(): Promise<DeliverySubject>;
  /** Longest wait for something that should happen, in milliseconds; 10,000 unless given. */
  readonly timeoutMs?: number;
  /** How long to watch that something does not happen, in milliseconds; 100 unless given. */
  readonly quietMs?: number;
}

/** Three attempts, one right after the other. */
export const quickRetry = { maxRetries: 2, baseDelayMs: 1, jitterFactor: 0 };

export type DeliveryCase = (bench: DeliveryBench) => Promise<void>;

/** Makes the body of a test out of a case. */
export function onDeliveries(
  options: DeliveryConformanceOptions,
): (body: DeliveryCase) => () => Promise<void> {
  return (body) => async () => {
    const subject = await options.create();
    const bench = new DeliveryBench(subject, options);
    try {
      await body(bench);
    } finally {
      await bench.close();
      await subject.cleanup?.();
    }
  };
}

/** One call of a handler. */
export interface Call {
  readonly group: string | null;
  readonly handler: string;
  readonly event: EventEnvelope;
  readonly context: HandlerContext;
}

/** Consumer groups, events and everything that happened to them in one case. */
export class DeliveryBench {
  /** Time for the groups; it stands still unless the case moves it. */
  readonly clock: ManualClock = new ManualClock();
  readonly subject: DeliverySubject;
  /** The subject's dead letters, which the groups of the case are given. */
  readonly deadLetterSink: DeadLetterSink;
  readonly observations: Observation[] = [];
  /** Calls of handlers that have begun, in order. */
  readonly calls: Call[] = [];
  readonly #timeoutMs: number;
  readonly #quietMs: number;
  readonly #prefix: string = randomIds().slice(0, 8);
  readonly #codec: JsonCodec = new JsonCodec({});
  readonly #transports: Transport[] = [];
  readonly #groups: ConsumerGroup[] = [];
  readonly #gates: (() => void)[] = [];
  /** What was recorded, by its key as text. */
  readonly #recorded = new Map<string, DeadLetterKey>();
  #publisher: Transport | undefined;

  constructor(
    subject: DeliverySubject,
    { timeoutMs = 10_000, quietMs = 100 }: DeliveryConformanceOptions,
  ) {
    this.subject = subject;
    this.deadLetterSink = changed(subject.deadLetters, {
      add: (failure, choice) => {
        const key = keyOf(failure);
        this.#recorded.set(JSON.stringify(key), key);
        return subject.deadLetters.add(failure, choice);
      },
    });
    this.#timeoutMs = timeoutMs;
    this.#quietMs = quietMs;
  }

  /** A group of this case in a process of its own, not started yet. */
  async group(
    name: string | null,
    options: Partial<ConsumerGroupOptions> = {},
  ): Promise<ConsumerGroup> {
    const { transactions, inbox, handovers } = this.subject;
    const group = new ConsumerGroup({
      transport: await this.open(),
      codec: this.#codec,
      group: this.name(name),
      ...(name === null ? {} : { deadLetters: this.deadLetterSink }),
      ...(name !== null && transactions && inbox ? { transactions, inbox } : {}),
      ...(name !== null && handovers ? { handovers } : {}),
      start: 'latest',
      clock: this.clock,
      random: () => 0.5,
      redrivePollMs: 10,
      observer: (seen) => void this.observations.push(seen),
      ...options,
    });
    this.#groups.push(group);
    return group;
  }

  /** The name that a group of this case has on the broker. */
  name<Name extends string | null>(group: Name): Name extends null ? null : string {
    const name = group === null ? null : `${group}-${this.#prefix}`;
    return name as Name extends null ? null : string;
  }

  /** A handler that notes its call and then does what the case wants. */
  handler(
    run: (call: Call) => Promise<void> | void = () => {},
  ): (event: EventEnvelope, context: HandlerContext) => Promise<void> {
    return async (event, context) => {
      const { group, handler } = context;
      const call = { group, handler, event, context };
      this.calls.push(call);
      await run(call);
    };
  }

  /** An event of the subject, which is its ordering key. */
  event(subject = 'order-1', given: Partial<EventEnvelope> = {}): EventEnvelope {
    return {
      id: randomIds(),
      source: 'order-service',
      specversion: '1.0',
      type: 'order.placed',
      datacontenttype: 'application/json',
      time: '2026-03-01T12:00:00.000Z',
      subject: `${subject}-${this.#prefix}`,
      version: 1,
      data: { total: 12.5 },
      ...given,
    };
  }

  /** The message that carries an event. */
  message(event: EventEnvelope): Message {
    return this.#codec.encode(event);
  }

  async publish(...events: readonly EventEnvelope[]): Promise<void> {
    await this.publishMessages(events.map((event) => this.message(event)));
  }

  async publishMessages(messages: readonly Message[]): Promise<void> {
    this.#publisher ??= await this.open();
    await this.#publisher.publish(messages);
  }

  /** Another instance of the transport, connected. */
  async open(): Promise<Transport> {
    const transport = await this.subject.open();
    this.#transports.push(transport);
    await transport.connect();
    return transport;
  }

  /** Something that handlers wait for until the case opens it; every gate opens when the case ends. */
  gate(): { readonly opened: Promise<void>; readonly open: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gates.push(resolve);
    return { opened: promise, open: resolve };
  }

  /** Ids of the events whose handling has begun, repeats included. */
  idsOf(calls: readonly Call[] = this.calls): string[] {
    return calls.map(({ event }) => event.id);
  }

  seen<Kind extends Observation['kind']>(kind: Kind): Extract<Observation, { kind: Kind }>[] {
    return this.observations.filter(
      (seen): seen is Extract<Observation, { kind: Kind }> => seen.kind === kind,
    );
  }

  /** Waits until `count` handler calls have begun in all. @returns All of them. */
  async called(count: number): Promise<Call[]> {
    await this.until(
      () => this.calls.length >= count,
      () => `${count} handler calls; ${this.calls.length} came`,
    );
    return this.calls;
  }

  /** Waits until something was observed `count` times in all. */
  async observed(kind: Observation['kind'], count: number): Promise<void> {
    const seen = (): number => this.seen(kind).length;
    await this.until(
      () => seen() >= count,
      () => `${count} of ${kind}; ${seen()} came`,
    );
  }

  /** The subject's dead letters for cases that decide about them. */
  get deadLetterQueue(): DeadLetterQueue {
    const { deadLetters } = this.subject;
    if (isDeadLetterQueue(deadLetters)) return deadLetters;
    throw new TypeError('create() must offer a DeadLetterQueue unless it says redrives: false');
  }

  /** The dead letters of a group of this case; of a sink alone those that were recorded through the case. */
  async deadLetters(group: string): Promise<DeadLetter[]> {
    const { deadLetters } = this.subject;
    const name = this.name(group);
    if (isDeadLetterQueue(deadLetters)) return await deadLetters.list({ group: name });
    const keys = [...this.#recorded.values()].filter((key) => key.group === name);
    const found = await deadLetters.find(keys.slice(0, maxDeadLetterKeys));
    return found.filter((each) => each !== null);
  }

  async until(condition: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
    await waitUntil(condition, { timeoutMs: this.#timeoutMs, what });
  }

  /** Moves time on, a tenth of a second at a time, until the condition holds. */
  async passTimeUntil(
    condition: () => boolean | Promise<boolean>,
    what: () => string,
  ): Promise<void> {
    await this.until(async () => {
      await this.clock.advance(100);
      return await condition();
    }, what);
  }

  /** Waits as long as it takes to be sure that something does not happen. */
  async quiet(): Promise<void> {
    await waitQuietly(this.#quietMs);
  }

  /** Lets every handler end and stops every group. */
  async close(): Promise<void> {
    for (const open of this.#gates) open();
    let stopped = false;
    const stopping = Promise.all(this.#groups.map((group) => group.stop({ deadlineMs: 1_000 })));
    const end = (): void => void (stopped = true);
    stopping.then(end, end);
    await this.passTimeUntil(
      () => stopped,
      () => 'every group to stop',
    );
    await stopping;
    await Promise.all(this.#transports.map((transport) => transport.close()));
  }
}
