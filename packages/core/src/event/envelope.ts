/**
 * An event: a fact that happened, in CloudEvents 1.0 terms.
 *
 * Names here are the ones that code uses; the codec maps them to the lower-case names that
 * CloudEvents allows on the wire. Identity is (`source`, `id`). A profile adds attributes of
 * its own as further properties.
 */
export interface EventEnvelope<T = unknown> {
  /** Unique within `source`; 1 to 255 characters. Made by the publisher unless given. */
  id: string;
  /** Name of the publishing service, a URI reference such as `quickgradez`. */
  source: string;
  specversion: '1.0';
  /** What happened, in the past tense: dotted lower-case segments such as `item.graded`. */
  type: string;
  datacontenttype: string;
  /** When it happened, RFC 3339 with a zone. */
  time: string;
  /** Id of the entity that the event is about. */
  subject?: string;
  /** Where the schema of `data` is described. */
  dataschema?: string;
  /** Links every event of one business transaction. */
  correlationId?: string;
  /** Id of the event that caused this one. */
  causationId?: string;
  /** Who triggered it. */
  userId?: string;
  /** Version of the schema of `data`, 1 or more. */
  version: number;
  /** W3C trace context, carried as the CloudEvents distributed-tracing extension. */
  traceparent?: string;
  tracestate?: string;
  data: T;
  metadata?: EventMetadata;
  /** CloudEvents attributes that neither the engine nor the profile knows, by their wire name. */
  extensions?: Record<string, ExtensionValue>;
}

export interface EventMetadata {
  retryCount: number;
  originalTimestamp?: string;
  environment: 'development' | 'staging' | 'production';
}

/** The attribute values that CloudEvents JSON can carry. */
export type ExtensionValue = string | number | boolean;

/**
 * What a product adds to the engine: its own envelope attributes and its rule for the ordering key.
 */
export interface Profile {
  readonly name: string;
  readonly attributes: readonly ProfileAttribute[];
  /**
   * The ordering key of an event: text; `undefined`, or an empty text, falls back to the subject, then to the id.
   * An event for which it throws, or returns anything else, is refused with `PROFILE_FAILED`.
   */
  keyOf?(event: EventEnvelope): string | undefined;
}

/** Kinds of values that an attribute of a profile can have. */
export type AttributeType = 'string' | 'integer' | 'boolean';

export interface ProfileAttribute {
  /** Property of the envelope in code, e.g. `warehouseId`. */
  readonly name: string;
  /** CloudEvents attribute on the wire, lower-case letters and digits only, e.g. `warehouseid`. */
  readonly wire: string;
  /** Column of the event store, e.g. `warehouse_id`: of type `TEXT`, `INTEGER` or `BOOLEAN`, as `type` says. */
  readonly column: string;
  /**
   * What its values are, as CloudEvents calls it: text, a 32-bit integer or a boolean; `string` unless given.
   * Values of another kind are refused, so that codec and store keep them as they are.
   */
  readonly type?: AttributeType;
  /**
   * Returns what is wrong with a value, as in "must be nine digits", or `undefined` if nothing is. An event for
   * which it throws, or returns anything else, is refused with `PROFILE_FAILED`.
   */
  readonly validate: (value: unknown) => string | undefined;
}

/** The engine alone: no further attributes, ordered by subject. */
export const plainProfile: Profile = { name: 'plain', attributes: [] };
