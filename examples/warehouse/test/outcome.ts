import { unitState } from '../src/conservation/check-conservation.ts';
import { openDatabase } from '../src/open-database.ts';

/** Everything that two runs of one input with one seed must agree on, whatever has happened to them. */
export interface Outcome {
  readonly states: readonly object[];
  readonly bookings: readonly object[];
  readonly prices: readonly object[];
  readonly eventsByType: readonly object[];
}

/** Reads how a run has ended. */
export async function readOutcome(place: { dataFolder: string; url?: string }): Promise<Outcome> {
  const { database } = await openDatabase(place);
  const rows = async (statement: string) => (await database.query(statement)).rows;
  try {
    return {
      states: await rows(`SELECT * FROM ${unitState} AS ended ORDER BY item_id, state`),
      bookings: await rows('SELECT * FROM quickfinancez_ledger ORDER BY document_id, account'),
      prices: await rows('SELECT * FROM quicklistz_listing ORDER BY listing_id'),
      eventsByType: await rows(
        'SELECT event_type, count(*)::int AS events FROM event_store GROUP BY event_type ORDER BY event_type',
      ),
    };
  } finally {
    await database.close();
  }
}
