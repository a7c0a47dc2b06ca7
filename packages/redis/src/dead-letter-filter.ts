import type { DeadLetterFilter } from '@waybill/core';
import { assertKnownOptions, type OptionNames } from '@waybill/core/adapter';

/** Column of each name that one can filter by. */
const columns = {
  status: 'status',
  group: 'group_name',
  eventType: 'event_type',
  fingerprint: 'fingerprint',
} as const;
const knownOptions: OptionNames<DeadLetterFilter> = {
  status: true,
  group: true,
  eventType: true,
  fingerprint: true,
  afterId: true,
  limit: true,
};
const names = Object.keys(columns) as (keyof typeof columns)[];

/** What to look for, as scripts want it. */
export interface DeadLetterSearch {
  /** Id to begin after. */
  readonly after: string;
  readonly limit: number;
  /** Names of columns, and what each of them must be. */
  readonly wanted: readonly string[];
}

/** @throws {TypeError} If the limit is not from 1 to 1,000, or an option is not known. */
export function searchOf(filter: DeadLetterFilter): DeadLetterSearch {
  assertKnownOptions('a list of dead letters', filter, knownOptions);
  const { afterId = '0-0', limit = 100 } = filter;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > 1_000) {
    throw new TypeError(`limit must be a whole number from 1 to 1,000, got ${limit}`);
  }
  const wanted = names.flatMap((name) => {
    const value = filter[name];
    return value === undefined ? [] : [columns[name], value];
  });
  // Where every queue begins, however it writes its ids.
  return { after: afterId === '0' ? '0-0' : afterId, limit, wanted };
}

/** Says whether this can be the id of an entry, written as Redis writes it. */
export function isEntryId(id: string): boolean {
  return /^(?:0|[1-9]\d{0,18})-(?:0|[1-9]\d{0,18})$/.test(id);
}
