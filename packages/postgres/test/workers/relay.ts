// Relays an outbox to a table that stands for the broker, until it is killed.

import { setTimeout as sleep } from 'node:timers/promises';

import { Relay } from '@waybill/core';
import type { PublishOutcome } from '@waybill/core';
import { accepted } from '@waybill/core/adapter';
import type { Message } from '@waybill/core/adapter';
import { tellParent, workerArgs } from '@waybill/testing';

import { PostgresOutbox } from '../../src/outbox/outbox.ts';
import { openPostgres } from '../../src/client/pg-client.ts';

export interface RelayArgs {
  readonly connectionString: string;
  readonly worker: string;
  readonly batchSize: number;
  /** How long the broker takes for a batch, in milliseconds, after it has written it. */
  readonly answerMs: number;
  readonly publishTimeoutMs?: number;
}

const args = workerArgs<RelayArgs>();
const client = openPostgres({ connectionString: args.connectionString });
const broker = openPostgres({ connectionString: args.connectionString, maxConnections: 1 });

async function publish(messages: readonly Message[]): Promise<readonly PublishOutcome[]> {
  await broker.query(
    `INSERT INTO published (event_id, key, worker)
     SELECT event_id, key, $3 FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS m(event_id, key, n)
     ORDER BY n`,
    [messages.map(({ id }) => id), messages.map(({ key }) => key), args.worker],
  );
  await tellParent('published', { ids: messages.map(({ id }) => id) });
  await sleep(args.answerMs);
  return messages.map(({ id }) => accepted(id));
}

const { batchSize, publishTimeoutMs } = args;
const outbox = new PostgresOutbox({ client, ...(publishTimeoutMs ? { publishTimeoutMs } : {}) });
new Relay({ outbox, destination: 'published', publish, pollMs: 20, batchSize }).start();
await tellParent('ready');
