import { randomIds, systemClock } from '@waybill/core';
import {
  assertKnownOptions,
  assertRange,
  destinationName,
  maxTimerMs,
  type OptionNames,
} from '@waybill/core/adapter';
import type { Clock, Ids, Observer } from '@waybill/core';

import type { SqlClient } from '../client/sql-client.ts';
import { defaultNames } from '../client/sql-names.ts';
import { logTransport } from './log-tables.ts';

export interface PostgresLogTransportOptions {
  readonly client: SqlClient;
  /** Schema of the tables; `public` unless given. */
  readonly schema?: string;
  /** Name of where messages go; `postgres-log/<schema>` unless given. */
  readonly destination?: string;
  /** A consumer without a sign of life loses its group after this long, in milliseconds; 15,000 unless given. */
  readonly leaseMs?: number;
  /** How often to look for what nobody announced; 100 unless given, 1,000 on an embedded database. */
  readonly pollMs?: number;
  /** How often the watermark is written, in milliseconds; 50 unless given. */
  readonly commitEveryMs?: number;
  /** How often a consumer that stands by looks whether the group is free, in milliseconds; 250 unless given. */
  readonly standbyMs?: number;
  /** Shortest time between two notices to other processes, in milliseconds; 20 unless given. */
  readonly noticeEveryMs?: number;
  /**
   * Most messages of a partition that may be finished and not covered by a confirmed watermark, which is what
   * a crash would repeat; then no more of the partition is read until one is confirmed. 10,000 unless given.
   */
  readonly maxAhead?: number;
  /** Rows that every group has finished go when they are this old, in milliseconds; 7 days unless given. */
  readonly retentionMs?: number;
  /** How often to look for rows that may go, in milliseconds; an hour unless given. */
  readonly pruneEveryMs?: number;
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly observer?: Observer;
}

/** The options with every default in its place. */
export type LogTransportSettings = Required<Omit<PostgresLogTransportOptions, 'observer'>>;

const dayMs = 86_400_000;
/** Option, its largest value, and whether it is a whole number; the smallest value is 1. */
const ranges = [
  ['leaseMs', maxTimerMs, true],
  ['pollMs', maxTimerMs, false],
  ['commitEveryMs', maxTimerMs, false],
  ['standbyMs', maxTimerMs, false],
  ['noticeEveryMs', maxTimerMs, false],
  ['maxAhead', 1_000_000, true],
  ['retentionMs', 36_525 * dayMs, false],
  ['pruneEveryMs', maxTimerMs, false],
] as const;
const where = 'PostgresLogTransport';
const knownOptions: OptionNames<PostgresLogTransportOptions> = {
  client: true,
  schema: true,
  destination: true,
  leaseMs: true,
  pollMs: true,
  commitEveryMs: true,
  standbyMs: true,
  noticeEveryMs: true,
  maxAhead: true,
  retentionMs: true,
  pruneEveryMs: true,
  clock: true,
  ids: true,
  observer: true,
};

/** @throws {TypeError} If an option is not known, or a length is out of range. */
export function completed(options: PostgresLogTransportOptions): LogTransportSettings {
  assertKnownOptions(where, options, knownOptions);
  const { client, schema = defaultNames.schema, clock, ids } = options;
  const destination = destinationName(logTransport, schema, options.destination);
  const lengths = {
    leaseMs: options.leaseMs ?? 15_000,
    pollMs: options.pollMs ?? (client.dialect === 'postgres' ? 100 : 1_000),
    commitEveryMs: options.commitEveryMs ?? 50,
    standbyMs: options.standbyMs ?? 250,
    noticeEveryMs: options.noticeEveryMs ?? 20,
    maxAhead: options.maxAhead ?? 10_000,
    retentionMs: options.retentionMs ?? 7 * dayMs,
    pruneEveryMs: options.pruneEveryMs ?? dayMs / 24,
  };
  for (const [name, max, whole] of ranges) assertRange(where, name, lengths[name], 1, max, whole);
  return {
    client,
    schema,
    destination,
    clock: clock ?? systemClock,
    ids: ids ?? randomIds,
    ...lengths,
  };
}
