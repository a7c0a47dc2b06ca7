import type { EventError } from './errors.ts';
import type { Coordinates } from './coordinates.ts';

/** Which event an observation is about, as far as that is known where it is made. */
export interface EventLabels {
  readonly eventType: string | undefined;
  readonly eventId: string | undefined;
  readonly source: string | undefined;
  readonly correlationId: string | undefined;
  /** Ordering key. */
  readonly key: string | undefined;
  /** Empty for a broadcast, `undefined` for what is about no group. */
  readonly group: string | undefined;
  readonly handler: string | undefined;
  /** Number of the attempt within its delivery. */
  readonly attempt: number | undefined;
}

/** Something worth counting. Every drop, skip, takeover and override is one. */
export type Observation =
  | ({ kind: 'published'; stored: boolean } & EventLabels)
  | ({ kind: 'publish-failed'; error: unknown } & EventLabels)
  | { kind: 'relayed'; partition: number; count: number }
  | { kind: 'relay-failed'; partition: number; error: unknown }
  /** A destination did not take a message, which holds back the later ones of its key. */
  | ({ kind: 'publish-refused'; destination: string; error: EventError } & EventLabels)
  /** The server behind a destination had lost its mark, and so whatever it had accepted before. */
  | { kind: 'emptied'; destination: string }
  | ({
      kind: 'delivered';
      deliveryCount: number | undefined;
      coordinates: Coordinates;
    } & EventLabels)
  | ({
      kind: 'attempt-failed';
      attempt: number;
      error: unknown;
      willRetryInMs: number | null;
      coordinates: Coordinates;
    } & EventLabels)
  | ({
      kind: 'processed';
      eventType: string;
      eventId: string;
      durationMs: number;
      coordinates: Coordinates;
    } & EventLabels)
  /** The inbox knew the event: its effect is there already. */
  | ({ kind: 'duplicate-skipped' } & EventLabels)
  /** A repeated delivery of an event that has a dead letter already. */
  | ({ kind: 'dead-letter-known' } & EventLabels)
  | ({ kind: 'dead-lettered'; error: EventError; coordinates: Coordinates } & EventLabels)
  /** The dead letter could not be stored; the message stays unsettled and is tried again. */
  | ({ kind: 'dead-letter-failed'; error: unknown; coordinates: Coordinates } & EventLabels)
  | ({
      kind: 'redriven';
      deadLetterId: string;
      outcome: 'resolved' | 'pending' | 'claim-lost';
    } & EventLabels)
  /** An event was left for a handler that another instance of the group has, or behind older ones that wait. */
  | ({ kind: 'handed-over'; coordinates: Coordinates } & EventLabels)
  /** What was left for a handler of this instance has ended: it was handled, or has a dead letter. */
  | ({ kind: 'handover-ended'; outcome: 'done' | 'claim-lost' } & EventLabels)
  /** A delivery of an event that was left for the handler before. */
  | ({ kind: 'handover-known' } & EventLabels)
  /** The queue of handovers could not be reached; it is tried again. */
  | { kind: 'handover-failed'; group: string; error: unknown }
  /** No handler of the group wants the type; the message is settled. */
  | ({ kind: 'unhandled-type' } & EventLabels)
  /** A handler has run past its timeout and has not returned yet; its lane stands still. */
  | ({ kind: 'handler-overdue'; overdueMs: number } & EventLabels)
  /** Left unfinished at the deadline of a stop; another worker will get it. */
  | ({ kind: 'left-unfinished'; coordinates: Coordinates } & EventLabels)
  /** A settle, heartbeat or write came from somebody who had lost ownership, and was refused. */
  | { kind: 'stale-refused'; group: string; what: string; coordinates?: Coordinates }
  | { kind: 'took-over'; group: string; what: string }
  /**
   * The broker no longer has messages that it had accepted: all between `after` and `until`, or the one at
   * `until` alone. `dropped` ones fell to a cap that was asked for.
   */
  | {
      kind: 'lost';
      transport: string;
      stream: string;
      /** Who had not finished them; `undefined` where that is not known. */
      group: string | undefined;
      reason: 'broker-lost-data' | 'deleted' | 'dropped';
      after?: string;
      until: string;
      eventId?: string;
      eventType?: string;
    }
  /** A transport could not read for a group, or write what it had settled; it tries again. */
  | { kind: 'consume-failed'; group: string; error: unknown }
  /** Rows that nobody needs any more were deleted; those of a group, or what belongs to none. */
  | { kind: 'pruned'; what: string; group: string | undefined; count: number }
  /** They could not be deleted; it is tried again. */
  | { kind: 'prune-failed'; what: string; group: string | undefined; error: unknown }
  /** The consumer of a group has ended by itself, and nothing is taken for it any more. */
  | { kind: 'consumer-ended'; group: string; error: unknown }
  /** Somebody does not get on, and says so once; what it tries meanwhile fails each time for itself. */
  | {
      kind: 'trouble';
      who: 'consumer' | 'relay' | 'publisher' | 'handler' | 'pruner';
      name: string;
      /** What is the matter, for people. */
      words: string;
      error: unknown;
    }
  /** It gets on again. */
  | {
      kind: 'recovered';
      who: 'consumer' | 'relay' | 'publisher' | 'handler' | 'pruner';
      name: string;
      afterMs: number;
    }
  | { kind: 'wire-spelling'; attribute: string; eventType: string }
  | ({ kind: 'broadcast-failed'; error: unknown } & EventLabels)
  | { kind: 'warning'; code: WarningCode; message: string };

/** Warnings of the engine; each is given once per call site and can be silenced. */
export type EngineWarningCode =
  | 'TYPE_NOT_IN_CATALOGUE'
  | 'KEY_DATA_MISSING'
  | 'SLOW_HANDLER'
  | 'WILDCARD_IN_PRODUCTION'
  | 'HANDLER_UNNAMED'
  | 'HANDLER_TYPE_UNKNOWN'
  | 'STORE_BEFORE_PUBLISH_OFF'
  | 'NEW_GROUP_STARTS'
  | 'NOT_DURABLE'
  | 'TX_ELSEWHERE'
  | 'POOL_TOO_SMALL'
  | 'STALLED_READER'
  | 'LOG_GAP'
  | 'LOG_RESTORED'
  | 'LOG_PRUNE_FAILED'
  | 'GROUP_RECREATED'
  | 'TRIM_HELD_BACK'
  | 'BROKER_EVICTS'
  | 'CONSUMER_TROUBLE'
  | 'CONSUMER_ENDED'
  | 'RELAY_TROUBLE'
  | 'PUBLISHER_TROUBLE'
  | 'PRUNER_TROUBLE'
  | 'PRUNE_HELD_BACK'
  | 'MESSAGE_REFUSED'
  | 'DESTINATION_EMPTIED'
  | 'GROUP_SHARED'
  | 'HANDLER_GONE'
  | 'HANDLER_OUTAGE'
  | 'HANDLER_RENAMED'
  | 'RETRIES_PILE_UP'
  | 'ATTEMPT_FAILED'
  | 'DEAD_LETTERED'
  | 'DEAD_LETTER_FAILED'
  | 'BROADCAST_FAILED'
  | 'HANDOVER_FAILED'
  | 'HANDLER_OVERDUE'
  | 'LEFT_UNFINISHED'
  | 'STALE_REFUSED'
  | 'TOOK_OVER'
  | 'EVENTS_LOST'
  | 'RECOVERED'
  | 'HANDOVERS_MISSING';

/** A warning of the engine, or one of a product's own. */
export type WarningCode = EngineWarningCode | (string & Record<never, never>);

/**
 * Hears what happens. It must not throw; if it does, the exception is dropped, since counting must
 * never break what is counted.
 */
export type Observer = (observation: Observation) => void;

/** Calls each of the observers, whatever the others do. */
export function observeAll(observers: readonly Observer[]): Observer {
  return (observation) => {
    for (const observer of observers) {
      try {
        observer(observation);
      } catch {
        // An observer's own bug must not fail the event that it observes.
      }
    }
  };
}

/** Where the library writes for people; shaped like pino and `console`. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Says nothing: a library prints only where it was asked to. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
