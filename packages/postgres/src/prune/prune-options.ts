import {
  assertKnownOptions,
  assertRange,
  maxTimerMs,
  type OptionNames,
} from '@waybill/core/adapter';

/** What is deleted from the library's tables, and when. Ages are in milliseconds; `Infinity` keeps the rows. */
export interface PruneOptions {
  /** How often to look, in milliseconds; an hour unless given. */
  readonly everyMs?: number;
  /**
   * Rows of the inbox go when they are this old, 30 days unless given; later where the group has not finished an
   * event of that age, or where a dead letter or a handover of the event waits.
   */
  readonly inboxMs?: number;
  /** Handovers go this long after they were done or skipped; 30 days unless given. */
  readonly handoversMs?: number;
  /** Dead letters go this long after they were resolved or skipped, by `resolved_at`; they are kept unless given. */
  readonly deadLettersMs?: number;
  /** Whether idempotency keys go when their `expires_at` has passed; they do unless told not to. */
  readonly idempotencyKeys?: boolean;
  /** Most rows that one transaction deletes; 10,000 unless given. */
  readonly batchRows?: number;
}

/** The options with every default in its place. */
export type PruneSettings = Required<PruneOptions>;

const dayMs = 86_400_000;
const knownOptions: OptionNames<PruneOptions> = {
  everyMs: true,
  inboxMs: true,
  handoversMs: true,
  deadLettersMs: true,
  idempotencyKeys: true,
  batchRows: true,
};
/** Option, smallest and largest value, and whether it is a whole number. */
const ranges = [
  ['everyMs', 1, maxTimerMs, false],
  ['inboxMs', 0, Number.POSITIVE_INFINITY, false],
  ['handoversMs', 0, Number.POSITIVE_INFINITY, false],
  ['deadLettersMs', 0, Number.POSITIVE_INFINITY, false],
  ['batchRows', 1, 1_000_000, true],
] as const;

/** @throws {TypeError} If an option is not known, or out of range. */
export function pruneSettings(options: PruneOptions): PruneSettings {
  assertKnownOptions('prune', options, knownOptions);
  const settings = {
    everyMs: options.everyMs ?? dayMs / 24,
    inboxMs: options.inboxMs ?? 30 * dayMs,
    handoversMs: options.handoversMs ?? 30 * dayMs,
    deadLettersMs: options.deadLettersMs ?? Number.POSITIVE_INFINITY,
    idempotencyKeys: options.idempotencyKeys ?? true,
    batchRows: options.batchRows ?? 10_000,
  };
  for (const [name, min, max, whole] of ranges) {
    assertRange('prune', name, settings[name], min, max, whole);
  }
  if (typeof settings.idempotencyKeys !== 'boolean') {
    throw new TypeError(`prune: idempotencyKeys must be true or false`);
  }
  return settings;
}
