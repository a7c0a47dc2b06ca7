import assert from 'node:assert/strict';

import { systemClock } from '../../clock.ts';
import { randomIds } from '../../ids.ts';
import type {
  Delivery,
  Subscription,
  Transport,
  TransportCapabilities,
} from '../../transport/transport.ts';
import type { GroupInspection } from '../../transport/transport-inspection.ts';
import type { Message } from '../../event/message.ts';
import type { TransactionRunner } from '../../transaction.ts';
import { waitQuietly, waitUntil } from '../wait-until.ts';
import { TransportProbe } from './transport-probe.ts';

/** A broker, or a part of one, that a case works on. */
export interface TransportSubject {
  /** Another instance on the same broker, as another process would have it; not connected yet. */
  open(): Transport | Promise<Transport>;
  /** Begins transactions that `Delivery.fence` understands; needed where `fencing` is claimed. */
  transactions?: TransactionRunner;
  /**
   * Makes the broker unreachable for every instance of this subject, and for no others; needed where
   * `breaksServer` is said.
   *
   * @returns A function that heals it.
   */
  breakServer?(): Promise<() => Promise<void>>;
  /**
   * Lets the broker refuse the user of every instance of this subject, as after a changed password or for want of
   * a right; needed where `refusesAccess` is said.
   *
   * @returns A function that gives the access back.
   */
  refuseAccess?(): Promise<() => Promise<void>>;
  /**
   * From now on nothing of what consumers settle reaches the broker, until the answer is called; needed
   * where `losesSettlements` is said.
   */
  loseSettlements?(): () => void;
  /** Takes down what `create` put up. Every instance has been closed before. */
  cleanup?(): Promise<void>;
}

export interface TransportConformanceOptions {
  /** What the adapter claims; the suite proves it. */
  readonly capabilities: TransportCapabilities;
  /** True where `create` offers `loseSettlements`; false unless given. */
  readonly losesSettlements?: boolean;
  /** Called for each case. Cases keep apart by themselves, so it may be the same broker each time. */
  create(): Promise<TransportSubject>;
  /** True if `create` offers `breakServer`; without it nothing shows what happens when the broker is away. */
  readonly breaksServer?: boolean;
  /** True if `create` offers `refuseAccess`; without it nothing shows what becomes of a user who is refused. */
  readonly refusesAccess?: boolean;
  /** Longest wait for something that should happen, in milliseconds; 10,000 unless given. */
  readonly timeoutMs?: number;
  /** How long to watch that something does not happen, in milliseconds; 100 unless given. */
  readonly quietMs?: number;
}

/** Longer than the finest step of a broker's clock, and than a timer that fires too early. */
const clockGapMs = 30;

export type TransportCase = (bench: TransportBench) => Promise<void>;

/** Makes the body of a test out of a case: sets up, runs, closes, and fails on a leaked consumer. */
export function onBench(
  options: TransportConformanceOptions,
): (body: TransportCase) => () => Promise<void> {
  return (body) => async () => {
    const subject = await options.create();
    const bench = new TransportBench(subject, options);
    let passed = false;
    try {
      await body(bench);
      passed = true;
    } finally {
      const closed = bench.closeAll();
      // After a failure, what closing finds would only hide the reason.
      await (passed ? closed : closed.catch(() => undefined));
      await subject.cleanup?.();
    }
  };
}

/** Transports, probes and messages of one case, told apart from those of every other case. */
export class TransportBench {
  readonly capabilities: TransportCapabilities;
  readonly subject: TransportSubject;
  readonly timeoutMs: number;
  /** What all probes of the case were handed, in the order in which it came. */
  readonly arrivals: Delivery[] = [];
  readonly #quietMs: number;
  readonly #prefix: string = randomIds().slice(0, 8);
  readonly #transports: Transport[] = [];
  readonly #probes: TransportProbe[] = [];
  #messages = 0;

  constructor(subject: TransportSubject, options: TransportConformanceOptions) {
    this.subject = subject;
    this.capabilities = options.capabilities;
    this.timeoutMs = options.timeoutMs ?? 10_000;
    this.#quietMs = options.quietMs ?? 100;
  }

  /** Another instance, connected. */
  async open(): Promise<Transport> {
    const transport = await this.openUnconnected();
    await transport.connect();
    return transport;
  }

  /** Another instance, as it was made. */
  async openUnconnected(): Promise<Transport> {
    const transport = await this.subject.open();
    this.#transports.push(transport);
    return transport;
  }

  /** The name of a group that only this case has. */
  group(name: string): string {
    return `${name}-${this.#prefix}`;
  }

  /** One message, with whatever matters to the case. */
  message(given: Partial<Message> = {}): Message {
    this.#messages += 1;
    return {
      id: `${this.#prefix}-${this.#messages}`,
      type: 'item.graded',
      key: `${this.#prefix}-key`,
      contentType: 'application/cloudevents+json',
      body: JSON.stringify({ number: this.#messages }),
      ...given,
    };
  }

  /** Several messages, dealt out to `keys` keys in turn. */
  messages(count: number, { keys = 1, type }: { keys?: number; type?: string } = {}): Message[] {
    return Array.from({ length: count }, (_, index) =>
      this.message({ key: `${this.#prefix}-key-${index % keys}`, ...(type ? { type } : {}) }),
    );
  }

  /** A subscription that settles by hand unless `settle` is `at once`. */
  async subscribe(
    transport: Transport,
    {
      settle = 'by hand',
      ...given
    }: Partial<Subscription> & { group: string | null; settle?: 'at once' | 'by hand' },
  ): Promise<TransportProbe> {
    const probe = new TransportProbe({
      timeoutMs: this.timeoutMs,
      settleAtOnce: settle === 'at once',
    });
    const { onTrouble } = probe;
    const subscription: Subscription = {
      patterns: ['*'],
      start: 'latest',
      maxInFlight: 100,
      worker: `worker-${randomIds()}`,
      onTrouble,
      ...given,
    };
    probe.consumer = await transport.subscribe(subscription, (delivery) => {
      if (!delivery.message.id.startsWith(this.#prefix)) return delivery.settle();
      this.arrivals.push(delivery);
      probe.take(delivery);
    });
    this.#probes.push(probe);
    return probe;
  }

  /** Waits as long as it takes to be sure that something does not come. */
  async quiet(): Promise<void> {
    await waitQuietly(this.#quietMs);
  }

  /**
   * A time that is later than everything published before the call, and earlier than everything
   * published after it, by the clock of a broker that runs on this machine.
   */
  async timeBetween(): Promise<Date> {
    await systemClock.sleep(clockGapMs);
    const time = new Date(systemClock.now());
    await systemClock.sleep(clockGapMs);
    return time;
  }

  /** Lets the broker be away while `body` runs. */
  async whileBroken(body: () => Promise<void>): Promise<void> {
    assert.ok(this.subject.breakServer, 'create() must offer breakServer where it is said');
    const heal = await this.subject.breakServer();
    try {
      await body();
    } finally {
      await heal();
    }
  }

  /** Lets the broker refuse its user while `body` runs. */
  async whileRefused(body: () => Promise<void>): Promise<void> {
    assert.ok(this.subject.refuseAccess, 'create() must offer refuseAccess where it is said');
    const giveBack = await this.subject.refuseAccess();
    try {
      await body();
    } finally {
      await giveBack();
    }
  }

  async until(condition: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
    await waitUntil(condition, { timeoutMs: this.timeoutMs, what });
  }

  /** Waits until a consumer says that it has ended. */
  async ended(probe: TransportProbe): Promise<void> {
    let ended = false;
    const end = (): void => void (ended = true);
    probe.consumer.finished.then(end, end);
    await this.until(
      () => ended,
      () => 'the end of a consumer that was closed, or whose transport was',
    );
  }

  /** What a transport says of a group, over all streams; zeros if it does not know it. */
  async inspectGroup(transport: Transport, name: string): Promise<GroupInspection> {
    const { streams } = await transport.inspect();
    const parts = streams.flatMap(({ groups }) => groups.filter((group) => group.name === name));
    const sum = (of: (part: GroupInspection) => number): number =>
      parts.reduce((total, part) => total + of(part), 0);
    const seconds = parts.map(({ lagSeconds }) => lagSeconds);
    const members = new Map(parts.flatMap((part) => part.members.map((each) => [each.name, each])));
    return {
      name,
      pending: sum(({ pending }) => pending),
      lag: sum(({ lag }) => lag),
      lagSeconds: seconds.some((each) => each === undefined)
        ? undefined
        : Math.max(0, ...seconds.map(Number)),
      consumers: Math.max(0, ...parts.map(({ consumers }) => consumers)),
      members: [...members.values()],
      partitions: parts.flatMap(({ partitions = [] }) => partitions),
    };
  }

  /** Closes every instance, and fails if one leaves a consumer behind. */
  async closeAll(): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.close()));
    for (const probe of this.#probes) {
      await this.ended(probe);
      assert.equal(probe.afterClose, 0, 'a consumer was handed messages after it had closed');
    }
  }
}
