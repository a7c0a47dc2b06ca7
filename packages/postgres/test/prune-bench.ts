import { Subscriber, type Observation, type SubscriberOptions } from '@waybill/core';
import { MemoryEventBus } from '@waybill/core/memory';
import { vi } from 'vitest';

import type { SqlClient } from '../src/client/sql-client.ts';
import { consumerDatabase } from '../src/consume/consumer-database.ts';
import type { PruneOptions } from '../src/prune/prune-options.ts';

/** Long enough for a slow machine; every wait ends as soon as its condition holds. */
export const waiting = { timeout: 15_000, interval: 5 };
export const dayMs = 86_400_000;

type Pruned = Extract<Observation, { kind: 'pruned' }>;

/** A group of a memory bus that has its database pruned all the time, and what it observed. */
export class PruningGroup {
  readonly observed: Observation[] = [];
  readonly subscriber: Subscriber;
  readonly #bus: MemoryEventBus;

  private constructor(
    client: SqlClient,
    prune: PruneOptions | false,
    options: Partial<SubscriberOptions>,
  ) {
    this.#bus = new MemoryEventBus({
      serviceName: 'billing',
      observer: (seen) => void this.observed.push(seen),
    });
    this.subscriber = new Subscriber(this.#bus, {
      group: 'billing',
      database: consumerDatabase({ client, ...(prune === undefined ? {} : { prune }) }),
      random: () => 0,
      silence: ['PRUNER_TROUBLE'],
      ...options,
    });
    this.subscriber.on('order.*', () => {});
  }

  static async start(
    client: SqlClient,
    prune: PruneOptions | false = {},
    options: Partial<SubscriberOptions> = {},
  ): Promise<PruningGroup> {
    const made = new PruningGroup(
      client,
      prune === false ? false : { everyMs: 20, ...prune },
      options,
    );
    await made.subscriber.start();
    return made;
  }

  /** How many rows of a kind were deleted. */
  count(what: string): number {
    return this.observed
      .filter((seen): seen is Pruned => seen.kind === 'pruned' && seen.what === what)
      .reduce((sum, { count }) => sum + count, 0);
  }

  async stop(): Promise<void> {
    await this.#bus.shutdown();
  }
}

/** Adds rows of a group to the inbox, each this old. */
export async function record(
  client: SqlClient,
  ids: readonly string[],
  ageMs: number,
  group = 'billing',
): Promise<void> {
  await client.query(
    `INSERT INTO inbox (group_name, handler, source, event_id, recorded_at)
     SELECT $1, 'book', 'orders', id, clock_timestamp() - $3::float8 * interval '1 millisecond'
     FROM unnest($2::text[]) AS id`,
    [group, ids, ageMs],
  );
}

/** The ids that the inbox knows of a group. */
export async function recorded(client: SqlClient, group = 'billing'): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    'SELECT event_id AS id FROM inbox WHERE group_name = $1 ORDER BY event_id',
    [group],
  );
  return rows.map(({ id }) => id);
}

/** Waits until the inbox knows these ids of a group, and no others. */
export async function untilRecorded(
  client: SqlClient,
  ids: readonly string[],
  group = 'billing',
): Promise<void> {
  await vi.waitFor(async () => {
    const found = await recorded(client, group);
    if (found.join() !== ids.join()) throw new Error(`the inbox knows ${found.join()}`);
  }, waiting);
}

export function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${name}-${String(at).padStart(5, '0')}`);
}

/** Adds a dead letter that entered 40 days ago; one that is being processed is in the hands of another worker. */
export async function addDeadLetter(
  client: SqlClient,
  eventId: string,
  status: string,
  more: { resolvedDaysAgo?: number; handler?: string; group?: string } = {},
): Promise<void> {
  const { resolvedDaysAgo = null, handler = 'book', group = 'billing' } = more;
  await client.query(
    `INSERT INTO event_dlq (original_event_id, event_type, failure_reason, status, entered_dlq_at,
                            group_name, handler, source, key, resolved_at, claim_token, claim_until)
     VALUES ($1, 'order.placed', 'no such order', $2, now() - interval '40 days', $3, $4, 'orders', 'k',
             now() - $5::float8 * interval '1 day', 'theirs', now() + interval '1 day')`,
    [eventId, status, group, handler, resolvedDaysAgo],
  );
}

/** Adds a handover; one that does not wait ended this many days ago. */
export async function addHandover(
  client: SqlClient,
  eventId: string,
  status: string,
  endedDaysAgo: number | null = null,
): Promise<void> {
  await client.query(
    `INSERT INTO event_handover (group_name, handler, derived, source, event_id, event_type, event_version,
                                 key, transport, stream, position, body, body_is_text, message_labels,
                                 status, entered_at, ended_at)
     VALUES ('billing', 'book', false, 'orders', $1, 'order.placed', 1, 'k', 'memory', 's', '1', '', true,
             '{}', $2, now() - interval '40 days', now() - $3::float8 * interval '1 day')`,
    [eventId, status, endedDaysAgo],
  );
}
