import type { EventError } from './errors.ts';
import type { Coordinates } from './coordinates.ts';

/** Something worth counting. Every drop, skip, takeover and override is one. */
export type Observation =
  | { kind: 'published'; eventType: string; eventId: string; stored: boolean }
  | { kind: 'publish-failed'; eventType: string; error: unknown }
  | { kind: 'relayed'; partition: number; count: number }
  | { kind: 'relay-failed'; partition: number; error: unknown }
  /** A destination did not take a message, which holds back the later ones of its key. */
  | {
      kind: 'publish-refused';
      destination: string;
      eventId: string;
      eventType: string;
      key: string;
      error: EventError;
    }
  /** The server behind a destination had lost its mark, and so whatever it had accepted before. */
  | { kind: 'emptied'; destination: string }
  | {
      kind: 'delivered';
      group: string;
      eventId: string;
      deliveryCount: number | undefined;
      coordinates: Coordinates;
    }
  | {
      kind: 'attempt-failed';
      group: string;
      handler: string;
      eventId: string;
      attempt: number;
      error: unknown;
      willRetryInMs: number | null;
      coordinates: Coordinates;
    }
  | {
      kind: 'processed';
      group: string;
      handler: string;
      eventType: string;
      eventId: string;
      durationMs: number;
      coordinates: Coordinates;
    }
  /** The inbox knew the event: its effect is there already. */
  | { kind: 'duplicate-skipped'; group: string; handler: string; eventId: string }
  /** A repeated delivery of an event that has a dead letter already. */
  | { kind: 'dead-letter-known'; group: string; handler: string; eventId: string | undefined }
  | {
      kind: 'dead-lettered';
      group: string;
      handler: string;
      eventType: string | undefined;
      eventId: string | undefined;
      error: EventError;
      coordinates: Coordinates;
    }
  /** The dead letter could not be stored; the message stays unsettled and is tried again. */
  | { kind: 'dead-letter-failed'; group: string; error: unknown; coordinates: Coordinates }
  | {
      kind: 'redriven';
      group: string;
      deadLetterId: string;
      outcome: 'resolved' | 'pending' | 'claim-lost';
    }
  /** An event was left for a handler that another instance of the group has, or behind older ones that wait. */
  | {
      kind: 'handed-over';
      group: string;
      handler: string;
      eventType: string;
      eventId: string;
      coordinates: Coordinates;
    }
  /** What was left for a handler of this instance has ended: it was handled, or has a dead letter. */
  | {
      kind: 'handover-ended';
      group: string;
      handler: string;
      eventType: string;
      eventId: string;
      outcome: 'done' | 'claim-lost';
    }
  /** A delivery of an event that was left for the handler before. */
  | { kind: 'handover-known'; group: string; handler: string; eventId: string }
  /** The queue of handovers could not be reached; it is tried again. */
  | { kind: 'handover-failed'; group: string; error: unknown }
  /** No handler of the group wants the type; the message is settled. */
  | { kind: 'unhandled-type'; group: string; eventType: string }
  /** A handler has run past its timeout and has not returned yet; its lane stands still. */
  | { kind: 'handler-overdue'; group: string; handler: string; eventId: string; overdueMs: number }
  /** Left unfinished at the deadline of a stop; another worker will get it. */
  | {
      kind: 'left-unfinished';
      group: string;
      eventId: string;
      handler: string | undefined;
      coordinates: Coordinates;
    }
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
  /** Somebody does not get on, and says so once; what it tries meanwhile fails each time for itself. */
  | { kind: 'trouble'; who: 'consumer' | 'relay' | 'publisher'; name: string; error: unknown }
  /** It gets on again. */
  | { kind: 'recovered'; who: 'consumer' | 'relay' | 'publisher'; name: string; afterMs: number }
  | { kind: 'wire-spelling'; attribute: string; eventType: string }
  | { kind: 'broadcast-failed'; eventType: string; eventId: string; error: unknown }
  | { kind: 'warning'; code: WarningCode; message: string };

/** Warnings of the engine; each is given once per call site and can be called "intended". */
export type EngineWarningCode =
  | 'TYPE_NOT_IN_CATALOGUE'
  | 'KEY_DATA_MISSING'
  | 'SLOW_HANDLER'
  | 'WILDCARD_IN_PRODUCTION'
  | 'STORE_BEFORE_PUBLISH_OFF'
  | 'NEW_GROUP_STARTS'
  | 'NOT_DURABLE'
  | 'TX_ELSEWHERE'
  | 'STALLED_READER'
  | 'LOG_GAP'
  | 'LOG_RESTORED'
  | 'GROUP_RECREATED'
  | 'TRIM_HELD_BACK'
  | 'BROKER_EVICTS'
  | 'CONSUMER_TROUBLE'
  | 'RELAY_TROUBLE'
  | 'PUBLISHER_TROUBLE'
  | 'MESSAGE_REFUSED'
  | 'DESTINATION_EMPTIED'
  | 'GROUP_SHARED'
  | 'HANDLER_GONE'
  | 'HANDLER_RENAMED'
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
