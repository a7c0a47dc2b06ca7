/**
 * Everything that can go wrong, by code, with the details each code carries.
 *
 * The list is closed: codes are stable within a major version, messages are not. An adapter that
 * somebody else writes has codes of its own beside it, see `AdapterErrorCode`.
 */
export interface ErrorDetails {
  /** The envelope breaks CloudEvents 1.0 or one of our bounds. */
  ENVELOPE_INVALID: { eventId?: string; attribute: string };
  /** One attribute is present under two spellings with different values. */
  ENVELOPE_CONFLICT: { eventId?: string; attribute: string };
  /** The bytes are not an event: broken JSON, wrong encoding, unsupported content type. */
  MESSAGE_UNPARSEABLE: { contentType?: string };
  /** Code of a product's profile threw, or returned what it must not, so that nobody knows what it wanted. */
  PROFILE_FAILED: { profile: string; part: string; eventType: string; eventId?: string };
  /** `data` does not match the schema of its type. */
  PAYLOAD_INVALID: { eventType: string; eventId?: string; issues: readonly PayloadIssue[] };
  /** `data` holds a value that JSON or the store cannot keep unchanged. */
  PAYLOAD_NOT_JSON: { eventType: string; eventId?: string; path: string };
  /** The encoded event is larger than the limit. */
  PAYLOAD_TOO_LARGE: { eventType: string; eventId?: string; bytes: number; maxBytes: number };
  /** The type is not in the catalogue and the publisher or subscriber is strict. */
  TYPE_UNKNOWN: { eventType: string };
  /** A known (source, id) came again with another body. */
  EVENT_ID_CONFLICT: { source: string; eventId: string };
  /** The subject has moved on since the caller read it. */
  VERSION_CONFLICT: { subject: string; expected: string; actual: string };
  /** Some events of a batch were refused; each has its own outcome. */
  BATCH_INCOMPLETE: { outcomes: readonly BatchOutcome[] };
  /** A handler threw something; `cause` is what it threw. */
  HANDLER_FAILED: { handler: string; eventId?: string };
  /** A handler ran past its timeout; its signal was aborted and its transaction rolled back. */
  HANDLER_TIMEOUT: { handler: string; eventId?: string; timeoutMs: number };
  /** The broker handed the message out too often without anybody finishing it. */
  DELIVERIES_EXCEEDED: { deliveries: number; maxDeliveries: number };
  /** Somebody else is working on this right now; try again later. */
  CLAIM_HELD: { key: string };
  /** Ownership went to somebody else in the meantime; this write was refused. */
  CLAIM_LOST: { key: string };
  /** The given transaction is not one that this adapter can join. */
  TX_FOREIGN: { expected: string };
  /** The transaction has ended or was revoked. */
  TX_FINISHED: { reason: string };
  /** A call outside the transaction would wait for the transaction it is made in. */
  TX_SELF_WAIT: Record<string, never>;
  /** A server refused its user: the login, or a right. `refusal` is its own code, such as `28P01` or `WRONGPASS`. */
  ACCESS_REFUSED: { server: string; refusal: string; eventId?: string; eventType?: string };
  /** The database cannot be reached or refused the statement for a passing reason. */
  STORE_UNAVAILABLE: { sqlState?: string };
  /** The database refused the statement for good. */
  STORE_REJECTED: { sqlState?: string; constraint?: string };
  /** The broker cannot be reached, or refused messages. */
  TRANSPORT_UNAVAILABLE: { transport: string; eventId?: string; eventType?: string };
  /** The server behind a destination bears another mark than it did, or none: it is another one, or was emptied. */
  DESTINATION_CHANGED: { destination: string; expected: string; found: string | null };
  /** The transport cannot honour what was asked of it. */
  CAPABILITY_MISSING: { transport: string; capability: string };
  /** The operation came before `connect()` or after `close()`. */
  NOT_CONNECTED: { what: string };
  /** Something is being stopped and takes no new work. */
  STOPPING: { what: string };
  /** The database was migrated by a newer version of this library. */
  SCHEMA_NEWER: { database: number; code: number };
  /** The tables are missing or older than this code. */
  SCHEMA_OUTDATED: { database: number; code: number };
  /** A migration met something it must not change by itself. */
  MIGRATION_BLOCKED: { migration: string; objects: readonly string[] };
  /** The cursor does not belong to this store, or its event is no longer there. */
  CURSOR_FOREIGN: { cursor: string };
  /** Another process owns the embedded database directory. */
  DIRECTORY_HELD: { directory: string; pid?: number };
  /** The idempotency key was used before for another operation or another input. */
  IDEMPOTENCY_MISMATCH: { key: string; operation: string };
  /** All attempts failed; `cause` is the last error. */
  RETRIES_EXHAUSTED: { operation: string; attempts: number };
  /** There is no dead letter with this id, or it is not in a state that allows this. */
  DEAD_LETTER_UNAVAILABLE: { deadLetterId: string; status?: string };
  /** A subscription of this group is running already; handlers are registered before the start. */
  GROUP_RUNNING: { group: string };
  /** Another service has the consumer group, and the two share nothing in which one could leave work for the other. */
  GROUP_TAKEN: { group: string; service: string };
}

export type ErrorCode = keyof ErrorDetails;

/**
 * A code of an adapter that is no part of this library: the adapter's name in lower case, a slash, and
 * a name in upper case, e.g. `kafka/FENCED`. What stands in `details` is up to the adapter.
 */
export type AdapterErrorCode = `${Lowercase<string>}/${Uppercase<string>}`;

/** The details that an error of this code carries. */
export type DetailsOf<Code extends ErrorCode | AdapterErrorCode> = Code extends ErrorCode
  ? ErrorDetails[Code]
  : Readonly<Record<string, unknown>>;

/** One thing wrong with a payload; `path` is dotted, empty for the payload itself. */
export interface PayloadIssue {
  path: string;
  message: string;
}

/** What became of one event of a batch. */
export type BatchOutcome =
  | { status: 'published'; eventId: string }
  | { status: 'failed'; index: number; error: EventError };

/** Codes whose cause passes by itself, so that the same call may succeed later. */
const retryableCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CLAIM_HELD',
  'HANDLER_FAILED',
  'HANDLER_TIMEOUT',
  'STORE_UNAVAILABLE',
  'TRANSPORT_UNAVAILABLE',
]);

/** All codes in alphabetical order, for documentation and for tests that keep it complete. */
export const errorCodes: readonly ErrorCode[] = (
  Object.keys({
    ACCESS_REFUSED: 0,
    BATCH_INCOMPLETE: 0,
    CAPABILITY_MISSING: 0,
    CLAIM_HELD: 0,
    CLAIM_LOST: 0,
    CURSOR_FOREIGN: 0,
    DEAD_LETTER_UNAVAILABLE: 0,
    DELIVERIES_EXCEEDED: 0,
    DESTINATION_CHANGED: 0,
    DIRECTORY_HELD: 0,
    ENVELOPE_CONFLICT: 0,
    ENVELOPE_INVALID: 0,
    EVENT_ID_CONFLICT: 0,
    GROUP_RUNNING: 0,
    GROUP_TAKEN: 0,
    HANDLER_FAILED: 0,
    HANDLER_TIMEOUT: 0,
    IDEMPOTENCY_MISMATCH: 0,
    MESSAGE_UNPARSEABLE: 0,
    MIGRATION_BLOCKED: 0,
    NOT_CONNECTED: 0,
    PAYLOAD_INVALID: 0,
    PAYLOAD_NOT_JSON: 0,
    PAYLOAD_TOO_LARGE: 0,
    PROFILE_FAILED: 0,
    RETRIES_EXHAUSTED: 0,
    SCHEMA_NEWER: 0,
    SCHEMA_OUTDATED: 0,
    STOPPING: 0,
    STORE_REJECTED: 0,
    STORE_UNAVAILABLE: 0,
    TRANSPORT_UNAVAILABLE: 0,
    TX_FINISHED: 0,
    TX_FOREIGN: 0,
    TX_SELF_WAIT: 0,
    TYPE_UNKNOWN: 0,
    VERSION_CONFLICT: 0,
  } satisfies Record<ErrorCode, 0>) as ErrorCode[]
).sort();

const knownCodes: ReadonlySet<string> = new Set(errorCodes);
const adapterCode = /^[a-z][a-z0-9-]*\/[A-Z][A-Z0-9_]*$/;

interface EventErrorOptions {
  readonly cause?: unknown;
  readonly retryable?: boolean;
}

/**
 * The one error class of the library.
 *
 * `message` starts with the code, then says what happened, to which event, and what to do.
 * A mistake in the caller's code is a plain `TypeError` instead, thrown at construction.
 */
export class EventError<
  Code extends ErrorCode | AdapterErrorCode = ErrorCode | AdapterErrorCode,
> extends Error {
  override readonly name = 'EventError';
  readonly code: Code;
  readonly details: DetailsOf<Code>;
  /** True when the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;

  /**
   * @param given.retryable Has to be said for the code of an adapter: nobody else knows it.
   * @throws {TypeError} If the code is neither one of the list nor `<adapter>/<NAME>`, or an adapter
   *   does not say `retryable`.
   */
  constructor(
    code: Code,
    message: string,
    details: DetailsOf<Code>,
    ...given: Code extends ErrorCode
      ? [options?: EventErrorOptions]
      : [options: EventErrorOptions & { readonly retryable: boolean }]
  ) {
    const options: EventErrorOptions = given[0] ?? {};
    super(`${code}: ${message}`, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = details;
    this.retryable = isOurs(code)
      ? (options.retryable ?? retryableCodes.has(code))
      : saidByAdapter(code, options.retryable);
  }
}

/** Says whether `error` is ours and, with `code`, whether it is that one. Works across copies of the library. */
export function isEventError<
  Code extends ErrorCode | AdapterErrorCode = ErrorCode | AdapterErrorCode,
>(error: unknown, code?: Code): error is EventError<Code> {
  try {
    if (!(error instanceof Error) || error.name !== 'EventError' || !('code' in error))
      return false;
    return code === undefined || error.code === code;
  } catch {
    // Handlers throw anything, also what throws again when it is looked at. Ours does not.
    return false;
  }
}

function isOurs(code: string): code is ErrorCode {
  return knownCodes.has(code);
}

function saidByAdapter(code: string, retryable: boolean | undefined): boolean {
  if (!adapterCode.test(code)) {
    throw new TypeError(
      `${code} is no error code; it must be one of errorCodes, or <adapter>/<NAME> such as kafka/FENCED`,
    );
  }
  if (typeof retryable === 'boolean') return retryable;
  throw new TypeError(`an error ${code} must say whether it is retryable`);
}
