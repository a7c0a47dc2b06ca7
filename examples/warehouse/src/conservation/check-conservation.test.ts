import type { SqlTransaction } from '@quickwms/events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settleWarehouse, type SettledWarehouse } from '../../test/settled-warehouse.ts';
import { checkConservation, checkedTables } from './check-conservation.ts';

let warehouse: SettledWarehouse;

/** The check looks at everything, and here it does so a few hundred times. */
const patienceMs = 240_000;

beforeAll(async () => {
  warehouse = await settleWarehouse();
}, patienceMs);
afterAll(async () => warehouse?.remove());

class Undo extends Error {}

/** What the check finds once `meddle` has been at the tables; they are put back afterwards. */
async function problemsAfter(meddle: (tx: SqlTransaction) => Promise<unknown>): Promise<string[]> {
  let problems: string[] = [];
  const meddled = warehouse.database.run(async (tx) => {
    await meddle(tx);
    problems = await checkConservation(tx);
    throw new Undo();
  });
  await expect(meddled).rejects.toBeInstanceOf(Undo);
  return problems;
}

/** Some rows of a table, here and there in it. */
async function someRows(table: string, condition = 'true', limit = 2): Promise<string[]> {
  const { rows } = await warehouse.database.query<{ place: string }>(
    `SELECT ctid::text AS place FROM ${table} WHERE ${condition} ORDER BY md5(ctid::text) LIMIT ${limit}`,
  );
  expect(rows.length, `the run puts something into ${table}`).toBeGreaterThan(0);
  return rows.map(({ place }) => place);
}

async function dropKeys(tx: SqlTransaction, table: string): Promise<void> {
  const { rows } = await tx.query<{ name: string }>(
    "SELECT conname AS name FROM pg_constraint WHERE conrelid = $1::regclass AND contype IN ('p', 'u')",
    [table],
  );
  for (const { name } of rows)
    await tx.query(`ALTER TABLE ${table} DROP CONSTRAINT "${name}" CASCADE`);
}

async function columnsOf(tx: SqlTransaction, table: string): Promise<string[]> {
  const { rows } = await tx.query<{ name: string }>(
    "SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = ''",
    [table],
  );
  return rows.map(({ name }) => name);
}

describe('the conservation check', () => {
  it('finds nothing wrong with a run that has settled', async () => {
    expect(await checkConservation(warehouse.database)).toEqual([]);
  });

  it('knows every table of every service', async () => {
    const { rows } = await warehouse.database.query<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'warehouse' AND tablename ~ '^(quick|warehouse)' ORDER BY 1",
    );
    expect(rows.map(({ name }) => name)).toEqual(checkedTables());
  });

  it.each(checkedTables())('notices a row that is deleted from %s', async (table) => {
    for (const place of await someRows(table)) {
      const problems = await problemsAfter((tx) =>
        tx.query(`DELETE FROM ${table} WHERE ctid = '${place}'`),
      );
      expect(problems.join('\n')).toContain(table);
    }
  });

  it.each(checkedTables())('notices a row that is doubled in %s', async (table) => {
    for (const place of await someRows(table)) {
      const problems = await problemsAfter(async (tx) => {
        await dropKeys(tx, table);
        await tx.query(`INSERT INTO ${table} SELECT * FROM ${table} WHERE ctid = '${place}'`);
      });
      expect(problems.join('\n')).toContain(table);
    }
  });

  it(
    'notices any event that is deleted from event_store, and names it',
    async () => {
      for (const type of await eventTypes()) {
        for (const place of await someRows('event_store', `event_type = '${type}'`, 1)) {
          const problems = await problemsAfter((tx) =>
            tx.query(`DELETE FROM event_store WHERE ctid = '${place}'`),
          );
          expect(problems.join('\n')).toContain(type);
        }
      }
    },
    patienceMs,
  );

  it.each([
    ['under its own id', 'event_id'],
    ['under another id', "event_id || '-again'"],
  ])(
    'notices any event that is doubled in event_store %s, and names it',
    async (_, id) => {
      for (const type of await eventTypes()) {
        for (const place of await someRows('event_store', `event_type = '${type}'`, 1)) {
          const problems = await problemsAfter(async (tx) => {
            await dropKeys(tx, 'event_store');
            const columns = await columnsOf(tx, 'event_store');
            const values = columns.map((column) => (column === 'event_id' ? id : column));
            await tx.query(
              `INSERT INTO event_store (${columns.join(', ')})
             SELECT ${values.join(', ')} FROM event_store WHERE ctid = '${place}'`,
            );
          });
          expect(problems.join('\n')).toContain(type);
        }
      }
    },
    120_000,
  );

  it.each([
    ['a cent in the books', 'quickfinancez_ledger', 'amount_cents = amount_cents + 1', 'ledger'],
    ['the price of a sale', 'quicklistz_listing', 'sold_cents = sold_cents + 1', 'item.sold'],
    [
      'a grade',
      'quickgradez_task',
      "grade = CASE grade WHEN 'A' THEN 'B' ELSE 'A' END",
      'item.graded',
    ],
    ['whose a parcel is', 'quickloadz_shipment', "tracking_number = 'WB'", 'shipment.dispatched'],
    ['a figure of the day', 'quickinsightz_count', 'events = events + 1', 'quickinsightz_count'],
    ['how many bids came', 'quickauctionz_auction', 'bids = bids - 1', 'bid.placed'],
  ])('notices when somebody changes %s', async (_, table, change, named) => {
    const condition = table === 'quicklistz_listing' ? 'order_id IS NOT NULL' : 'true';
    const [place] = await someRows(table, condition, 1);
    const problems = await problemsAfter((tx) =>
      tx.query(`UPDATE ${table} SET ${change} WHERE ctid = '${place}'`),
    );
    expect(problems.join('\n')).toContain(named);
  });

  it('names a unit that is in two final states, and one that is in none', async () => {
    const [place] = await someRows('quickfulfillment_order', 'true', 1);
    const double = await problemsAfter((tx) =>
      tx.query(
        `INSERT INTO quicksalvage_unit SELECT item_id, '{}' FROM quickfulfillment_order WHERE ctid = '${place}'`,
      ),
    );
    expect(double.join('\n')).toMatch(/\S+ is in 2 final states: delivered, salvaged/);
    const lost = await problemsAfter((tx) =>
      tx.query(`UPDATE quickfulfillment_order SET status = 'shipped' WHERE ctid = '${place}'`),
    );
    expect(lost.join('\n')).toMatch(/\S+ is in no final state/);
  });

  it('names an order whose payment is not what was invoiced, and books that do not balance', async () => {
    const [place] = await someRows('event_store', "event_type = 'payment.received'", 1);
    const problems = await problemsAfter((tx) =>
      tx.query(
        `UPDATE event_store SET data = jsonb_set(data, '{amount}', '0.01') WHERE ctid = '${place}'`,
      ),
    );
    expect(problems.join('\n')).toMatch(
      /order \S+ has different amounts: .*payment\.received 1 cents/,
    );
    expect(problems.join('\n')).toMatch(
      /payments less payouts are \d+ cents, and the books hold \d+/,
    );
  });

  it('names an event type that no table answers for', async () => {
    const problems = await problemsAfter((tx) =>
      tx.query(
        "UPDATE event_store SET event_type = 'item.vanished' WHERE event_type = 'item.listed'",
      ),
    );
    expect(problems.join('\n')).toMatch(
      /event_store has \d+ events that no table answers for: item.vanished/,
    );
  });
});

async function eventTypes(): Promise<string[]> {
  const { rows } = await warehouse.database.query<{ type: string }>(
    'SELECT DISTINCT event_type AS type FROM event_store ORDER BY 1',
  );
  return rows.map(({ type }) => type);
}
