import type { Coordinates } from '../coordinates.ts';
import type { EndSignal } from '../end-signal.ts';
import type { Message } from '../event/message.ts';
import type { GroupRegistry } from './group-registry.ts';
import type { HandoverQueue } from './handover-queue.ts';
import type { PublishOutcome } from './publish-outcome.ts';
import type { TransportInspection } from './transport-inspection.ts';

/** What a transport can do; proven by the conformance suite, never assumed. */
export interface TransportCapabilities {
  /** A partitioned log keeps an offset per group; a pending list settles entries one by one. */
  readonly shape: 'log' | 'pending-list';
  /** Messages survive the process that published them. */
  readonly persistent: boolean;
  /** `start: 'earliest'`, or a time, gives a new group what was published before it existed. */
  readonly history: boolean;
  /** Subscriptions without a group get everything published from now on, on every instance. */
  readonly broadcast: boolean;
  /** `deliveryCount` is filled in and survives a crash. */
  readonly deliveryCounts: boolean;
  /**
   * How far the order of a key reaches: within one consumer process of a group, or over all of them.
   */
  readonly keyOrder: 'process' | 'group';
  /** `Delivery.fence` is offered, so that a former owner's transaction is refused. */
  readonly fencing: boolean;
  /** `mark` is offered, so that two servers of one name are told apart. */
  readonly marks: boolean;
  /**
   * `registry` is offered, and every settlement is refused under an outdated version of it: what an instance
   * meets during a deploy and cannot handle reaches the one that can.
   */
  readonly registry: boolean;
}

/** One message handed to one consumer. */
export interface Delivery {
  readonly message: Message;
  readonly coordinates: Coordinates;
  /**
   * False only if the transport is certain that this group was never handed the message before; the
   * engine looks for what a former delivery left behind where it is true. A transport that does not
   * count says true for what a former owner may have been handed, and not for everything: it is a
   * look-up for each event.
   */
  readonly mayBeRepeated: boolean;
  /** 1 for the first time; `undefined` where the transport does not count. */
  readonly deliveryCount: number | undefined;
  /** Aborted when this consumer no longer owns the message; an `AbortSignal`, or what costs less. */
  readonly signal: EndSignal;
  /**
   * Marks the message finished for the group. The transport may tell its broker later and together
   * with others, but has told it when `Consumer.close()` resolves. Calls after the first, or after
   * ownership was lost, change nothing.
   */
  settle(): void;
  /**
   * Takes note, before the consumer is closed, that no handler runs: the message was in hand, and only waited. It
   * comes again, and this time is not held against it by `deliveryCount`. Absent where nothing is counted.
   */
  takeBack?(): void;
  /**
   * Checks inside the handler's transaction that this consumer still owns the message.
   *
   * @throws {EventError} `CLAIM_LOST` if somebody else took it.
   */
  fence?(tx: object): Promise<void>;
}

/**
 * Where a group that does not exist yet begins: with everything that is kept, with what is published
 * from now on, or with what the broker accepted at this time or later.
 *
 * The time is told by the broker's own clock. One that has not come yet means from now on.
 */
export type GroupStart = 'earliest' | 'latest' | Date;

export interface Subscription {
  /** Consumer group: each message goes to one consumer of it. `null` means broadcast. */
  readonly group: string | null;
  /** Patterns of event types. A transport may use them to fetch less, and must never withhold a match. */
  readonly patterns: readonly string[];
  /** Where a group that does not exist yet begins; a known one goes on where it stood. */
  readonly start: GroupStart;
  /** Most deliveries that may be unsettled at once, 1 or more. */
  readonly maxInFlight: number;
  /** Name of this consumer, unique per process start. */
  readonly worker: string;
  /**
   * Told when the consumer stops getting on (its server is away, what it reads is gone, what it settles
   * is refused), with why, and with `undefined` when it gets on again. It may be told more than once
   * while that lasts; it must not throw.
   */
  readonly onTrouble?: (error: unknown) => void;
  /** By which registry its deliveries are judged; only where the transport has one. */
  readonly judgement?: Judgement;
}

/**
 * Who handles what was settled, as far as the subscriber knows. A message counts as finished only under the
 * registry as it is: the transport compares versions in the very step that settles.
 */
export interface Judgement {
  /** The version of the registry by which everything was judged that is settled now. */
  readonly version: string;
  /**
   * Judges anew what was settled under an older version, and leaves for other handlers what is theirs.
   *
   * @returns The version under which all of them may be settled.
   * @throws Why that cannot be done now; they are to stay unsettled, and it may be tried again.
   */
  renew(settled: readonly Delivery[]): Promise<string>;
  /**
   * Is told of what a consumer has settled and not yet written: that is judged anew before anything younger is left
   * for others. A `SettledBatch` says so by itself.
   */
  follow?(unwritten: Unwritten): void;
}

/** What was settled, and is not yet written. */
export interface Unwritten {
  /**
   * Brings all of it up to the version by which is judged now.
   *
   * @throws What `Judgement.renew` throws.
   */
  judgeAll(): Promise<unknown>;
}

/** A running subscription. */
export interface Consumer {
  /** Stops handing out deliveries; those handed out may still be settled. Idempotent. */
  pause(): void;
  /** Undoes `pause`. */
  resume(): void;
  /** Changes how many deliveries may be unsettled at once, 1 or more. */
  setMaxInFlight(maxInFlight: number): void;
  /**
   * Writes out what was settled and gives up the rest, which the group's next consumer gets.
   * Aborts the signal of every unsettled delivery. Idempotent.
   */
  close(): Promise<void>;
  /** Resolves after `close`; rejects with what made the consumer stop by itself for good. */
  readonly finished: Promise<void>;
}

export type Deliver = (delivery: Delivery) => void;

/**
 * Moves opaque messages, at least once per consumer group.
 *
 * Implementations pass `describeTransport` of `@waybill/core/conformance`.
 */
export interface Transport {
  /** Kind of transport for coordinates and messages, e.g. `redis`, `postgres-log`. */
  readonly name: string;
  readonly capabilities: TransportCapabilities;
  /** What the groups of this transport handle; absent where a settlement cannot carry a condition. */
  readonly registry?: GroupRegistry;
  /**
   * Keeps what instances of a group leave for each other, where they share no database; absent where this
   * transport cannot keep it.
   */
  readonly handovers?: HandoverQueue;
  /** Name of the stream that takes a type; absent where there is one for all. */
  streamOf?(eventType: string): string;
  /**
   * Name of where messages go, for rows of an outbox: kind and prefix unless the user gives one, never
   * a host or a port, so that it outlives a move of the server.
   */
  readonly destination: string;
  /**
   * Connects and prepares what it needs. Idempotent; concurrent calls share one attempt, which ends within
   * its time: whoever waits for longer calls again.
   *
   * @throws {EventError} `ACCESS_REFUSED` if the broker refuses its user; a retryable one if it is away.
   */
  connect(): Promise<void>;
  /**
   * Hands messages to the broker, and says for each of them what became of it.
   *
   * Safe to call concurrently; messages of one call and one key keep their order. Within a call, nothing
   * of a key is accepted behind a message of that key that was not; other keys go on. What cannot be
   * carried as it is (text without UTF-8) is refused with `MESSAGE_UNPARSEABLE`.
   *
   * @param options.marker The mark that the server must bear at the moment at which it accepts.
   * @returns One outcome for each message, in the order given.
   * @throws {EventError} `NOT_CONNECTED`; `DESTINATION_CHANGED` if the server bears another mark or none: it
   *   has accepted nothing then; `TRANSPORT_UNAVAILABLE` if nothing is known of any message, so that each
   *   may have been accepted.
   */
  publish(
    messages: readonly Message[],
    options?: { readonly marker?: string },
  ): Promise<readonly PublishOutcome[]>;
  /**
   * Tells apart two servers behind one name: marks the server, unless it is marked already. Absent where
   * `publish` knows no marks.
   *
   * @param candidate 1 to 255 characters, unlike those of any other server.
   * @returns The mark that it bears now.
   * @throws {EventError} `TRANSPORT_UNAVAILABLE`, `NOT_CONNECTED`
   */
  mark?(candidate: string): Promise<string>;
  /**
   * Starts handing messages to `deliver`, which returns at once and never throws.
   *
   * @returns The consumer, once the group exists and everything published from now on will reach it.
   * @throws {EventError} `CAPABILITY_MISSING` for a start other than `latest` without `history`, and for
   *   no group without `broadcast`
   */
  subscribe(subscription: Subscription, deliver: Deliver): Promise<Consumer>;
  inspect(): Promise<TransportInspection>;
  /** Closes what it opened; running consumers are closed first. Idempotent. */
  close(): Promise<void>;
}
