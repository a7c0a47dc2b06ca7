import type { SqlClient } from '@quickwms/events';

type Database = Pick<SqlClient, 'query'>;

interface Step {
  readonly event_type: string;
  readonly source: string;
  readonly user_id: string;
  readonly created_at: Date;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The unit that has the most to tell: of those that were delivered, the one with the longest life. */
export async function mostEventfulUnit(database: Database): Promise<string | undefined> {
  const { rows } = await database.query<{ qlid: string }>(
    `SELECT qlid FROM event_store WHERE qlid IS NOT NULL GROUP BY qlid
     ORDER BY bool_or(event_type = 'order.delivered') DESC, count(DISTINCT event_type) DESC, qlid LIMIT 1`,
  );
  return rows[0]?.qlid;
}

/**
 * The life of one unit, one line for each event, times counted from the first one.
 *
 * @returns No line if nothing is known of it.
 */
export async function describeLife(database: Database, qlid: string): Promise<string[]> {
  const { rows: steps } = await database.query<Step>('SELECT * FROM get_item_lifecycle($1)', [
    qlid,
  ]);
  const startedAt = steps[0]?.created_at.getTime() ?? 0;
  return steps.map((step) => {
    const after = ((step.created_at.getTime() - startedAt) / 1_000).toFixed(2);
    const what = `${step.event_type.padEnd(26)} ${step.source.padEnd(17)}`;
    return `${`+${after} s`.padStart(10)}  ${what} ${tellingData(step)}`.trimEnd();
  });
}

/** What a person wants to know of an event, beyond that it happened. */
const telling: Readonly<Record<string, readonly string[]>> = {
  'item.received': ['brand', 'description', 'condition'],
  'item.assigned_to_pallet': ['palletId'],
  'inventory.item_removed': ['reason'],
  'grading.task_created': ['priority'],
  'item.graded': ['grade', 'condition', 'route'],
  'refurb.job_completed': ['outcome', 'laborMinutes'],
  'item.refurbished': ['newCondition'],
  'item.ready_for_listing': ['recommendedPrice'],
  'item.listed': ['marketplace', 'price'],
  'auction.started': ['reservePrice'],
  'bid.placed': ['bidderId', 'amount'],
  'bid.won': ['bidderId', 'winningAmount'],
  'order.created': ['orderId', 'buyerId', 'total'],
  'item.sold': ['salePrice'],
  'payment.received': ['amount'],
  'payout.processed': ['consignorId', 'amount'],
  'order.shipped': ['carrier', 'trackingNumber'],
  'order.delivered': ['deliveredAt'],
  'discard.writeoff_generated': ['writeoffAmount'],
  'consignment.item_returned': ['consignorId', 'reason'],
  'item.marked_for_recycling': ['materialType'],
  'threepl.order_fulfilled': ['carrier', 'trackingNumber'],
};

function tellingData({ event_type: type, user_id: userId, data }: Step): string {
  const keys = (telling[type] ?? []).filter((key) => data[key] !== undefined);
  if (keys.length === 0) return `by ${userId}`;
  return keys.map((key) => inWords(key, data[key])).join(', ');
}

/** Numbers of events are money, but for the minutes of a repair. */
function inWords(key: string, value: unknown): string {
  if (typeof value !== 'number') return String(value);
  return key === 'laborMinutes' ? `${value} minutes` : `$${value.toFixed(2)}`;
}
