import type { GroupStart } from '@waybill/core';

/**
 * The first offset of partition `h` that a new group gets.
 *
 * Rows get their time while the head is locked, so times follow offsets, except among the rows of one
 * append and where the clock was set back. There the group begins early rather than miss a row.
 *
 * @param time Parameter of the statement that has the time, where one was said, in milliseconds.
 */
export function firstOffset(start: GroupStart, log: string, time = '$2'): string {
  if (start === 'latest') return 'h.next_offset';
  // In milliseconds, because `timestamptz` cannot hold every `Date`.
  const since = `AND extract(epoch FROM l.appended_at) * 1000 >= ${time}::bigint`;
  return `coalesce((SELECT min(l.log_offset) FROM ${log} AS l
    WHERE l.partition = h.partition ${start === 'earliest' ? '' : since}), h.next_offset)`;
}
