import { assertKnownOptions, type OptionNames } from '@waybill/core/adapter';
import type { EventQueryOptions } from '@waybill/core';

import { quoteIdentifier } from '../client/quote-identifier.ts';

/** A column and what it must be, or a comparison with a value. */
export interface Condition {
  readonly column: string;
  readonly operator: '=' | '>=' | '<' | '>';
  readonly value: unknown;
}

const maxLimit = 10_000;

/** @throws {TypeError} if it is not a whole number from 1 to 10,000. */
export function checkedLimit(limit = 1_000): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= maxLimit) return limit;
  throw new TypeError(`limit must be a whole number from 1 to ${maxLimit}, got ${limit}.`);
}

const knownOptions: OptionNames<EventQueryOptions> = {
  limit: true,
  afterPosition: true,
  eventType: true,
  order: true,
};

/**
 * The conditions that every read by an attribute takes.
 *
 * @throws {TypeError} if an option is not known, or `order` is neither `asc` nor `desc`.
 */
export function optionConditions(options: EventQueryOptions): Condition[] {
  assertKnownOptions('a read of events', options, knownOptions);
  const conditions: Condition[] = [];
  const { eventType, afterPosition, order } = options;
  if (order !== undefined && order !== 'asc' && order !== 'desc') {
    throw new TypeError(`order must be 'asc' or 'desc', got ${String(order)}.`);
  }
  if (eventType !== undefined) {
    conditions.push({ column: 'event_type', operator: '=', value: eventType });
  }
  if (afterPosition !== undefined) {
    const operator = order === 'desc' ? '<' : '>';
    conditions.push({ column: 'sequence_number', operator, value: afterPosition });
  }
  return conditions;
}

/** A SELECT with its parameters: values go nowhere else. */
export function selectEvents(
  from: { readonly table: string; readonly columns: string },
  conditions: readonly Condition[],
  { order = 'asc', limit }: Pick<EventQueryOptions, 'order' | 'limit'> = {},
): { text: string; params: unknown[] } {
  const direction = order === 'desc' ? 'DESC' : 'ASC';
  const wheres = conditions.map(
    ({ column, operator }, index) => `${quoteIdentifier(column)} ${operator} $${index + 1}`,
  );
  const params = [...conditions.map(({ value }) => value), checkedLimit(limit)];
  const where = wheres.length > 0 ? `WHERE ${wheres.join(' AND ')}` : '';
  return {
    text: `SELECT ${from.columns} FROM ${from.table} ${where}
      ORDER BY sequence_number ${direction} LIMIT $${params.length}`,
    params,
  };
}
