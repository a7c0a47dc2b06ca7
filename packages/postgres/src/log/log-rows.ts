import type { Range } from '@waybill/core/adapter';

import { messageColumns } from '../message-columns.ts';
import type { MessageRow } from '../message-columns.ts';

/** A row of the log. */
export interface LogRow extends MessageRow {
  readonly partition: number;
  readonly log_offset: bigint;
}

/** Most rows that one statement reads. */
export const maxRowsAtOnce = 1_000;

/** Rows of several partitions in one look. @param first Number of the first of three parameters. */
export function readRanges(log: string, first: number): string {
  return `SELECT l.* FROM unnest($${first}::smallint[], $${first + 1}::bigint[], $${first + 2}::integer[])
            AS range(partition, start, take)
          CROSS JOIN LATERAL (
            SELECT partition, log_offset, ${messageColumns} FROM ${log} AS e
            WHERE e.partition = range.partition AND e.log_offset >= range.start
            ORDER BY e.log_offset LIMIT range.take) AS l`;
}

export function rangeParams(ranges: readonly Range[]): unknown[] {
  return [
    ranges.map(({ partition }) => partition),
    ranges.map(({ from }) => from),
    ranges.map(({ take }) => take),
  ];
}
