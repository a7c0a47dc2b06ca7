import type { Profile } from '@waybill/core';
import { describe, expect, it } from 'vitest';

import { openPglite } from '../client/pglite-client.ts';
import { testEvent } from '../../test/test-event.ts';
import { PostgresEventStore } from './event-store.ts';

const profile: Profile = {
  name: 'shelves',
  attributes: [
    { name: 'floor', wire: 'floor', column: 'floor', type: 'integer', validate: () => undefined },
    {
      name: 'fragile',
      wire: 'fragile',
      column: 'fragile',
      type: 'boolean',
      validate: () => undefined,
    },
  ],
};

describe('the attributes of a profile', () => {
  it('keep their types also in columns of text, which they may have had before', async () => {
    const client = await openPglite({ memory: true });
    const store = new PostgresEventStore({ client, profile });
    await store.initialize();
    await client.query('ALTER TABLE event_store ADD COLUMN floor TEXT, ADD COLUMN fragile TEXT');
    const events = [
      { ...testEvent(), floor: 0, fragile: false },
      { ...testEvent(), floor: -7, fragile: true },
    ];
    const positions = await store.appendBatch(events);
    for (const [index, event] of events.entries()) {
      expect(await store.getById(event.id)).toEqual(event);
      expect(await store.append(event)).toBe(positions[index]);
    }
    await client.close();
  });
});
