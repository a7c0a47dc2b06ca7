import type { Service } from './service.ts';

/** Keeps the figures of the day: how often everything happened to units. */
export const quickInsightz: Service = {
  name: 'quickinsightz',

  tables: `
    CREATE TABLE IF NOT EXISTS quickinsightz_count (
      event_type TEXT PRIMARY KEY,
      events     INTEGER NOT NULL
    );`,

  register({ subscriber }) {
    subscriber.onDomain('item.*', async ({ type }, { tx }) => {
      await tx.query(
        `INSERT INTO quickinsightz_count AS known (event_type, events) VALUES ($1, 1)
         ON CONFLICT (event_type) DO UPDATE SET events = known.events + 1`,
        [type],
      );
    });
  },
};
