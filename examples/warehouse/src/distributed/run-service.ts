import { setTimeout as sleep } from 'node:timers/promises';
import {
  PostgresEventStore,
  RedisStreamEventBus,
  type EventBus,
  type SqlClient,
} from '@quickwms/events';
import { assembleService, stopServices, type AssembledService } from '../assemble-service.ts';
import { InputError } from '../input/input-error.ts';
import { loadInput } from '../input/load-input.ts';
import { openServer, schema } from '../open-database.ts';
import { receiveGoods } from '../receive-goods.ts';
import { assertSameInput, hasRun, readRun, type RunRecord } from '../run-record.ts';
import { quickIntakez } from '../services/quick-intakez.ts';
import type { Service } from '../services/service.ts';
import { describeLoss } from './describe-loss.ts';
import type { Servers } from './servers.ts';
import type { ServiceMessage } from './service-message.ts';

/** What a service needs in a process of its own; all else stands in the record of the run. */
export interface ServiceJob {
  readonly service: Service;
  readonly servers: Servers;
  /** The goods that QuickIntakez takes in. */
  readonly manifest: string;
  readonly orders: string | undefined;
  /** Stops it in order. */
  readonly signal: AbortSignal;
  readonly tell: (message: ServiceMessage) => void;
  /** For tests: changes what the service works with. */
  readonly wrap?: Wrapping;
}

/** Puts something around what a service works with. */
export interface Wrapping {
  readonly database?: (database: SqlClient) => SqlClient;
  readonly eventBus?: (eventBus: EventBus) => EventBus;
}

/**
 * Handlers, and beside them the relay and the dock, have a connection each at any time, and one is for what
 * a handler begins beside its transaction, so none of them waits for another: sixteen processes come to a hundred connections, with those that listen.
 */
const concurrency = 2;
const maxConnections = concurrency + 3;

/** A service that was killed has its events again after this long. */
const claimMs = 3_000;
const reclaimEveryMs = 500;
/** How often to look for dead letters to run again: seldom, since they are put there by hand. */
const redrivePollMs = 5_000;
const healthPollMs = 500;

/**
 * Runs one service until it is stopped.
 *
 * @throws {InputError} If no run was begun over Redis, or one over another input.
 * @throws Error if the service cannot start, or its consumer has ended by itself.
 */
export async function runService(job: ServiceJob): Promise<void> {
  const { wrap = {}, servers } = job;
  const { database: opened } = openServer(servers.databaseUrl, maxConnections);
  const database = wrap.database?.(opened) ?? opened;
  try {
    const assembled = assemble(job, database, await readBegunRun(database));
    try {
      await work(job, database, assembled);
    } finally {
      await stopServices([assembled]);
    }
  } finally {
    await database.close();
  }
}

async function readBegunRun(database: SqlClient): Promise<RunRecord & { streams: string }> {
  const run = (await hasRun(database)) ? await readRun(database) : undefined;
  if (run && run.streams !== null) return { ...run, streams: run.streams };
  throw new InputError(
    'there is no run over Redis in this database; begin one with npm start -- --distributed',
  );
}

function assemble(
  { service, servers, tell, wrap = {} }: ServiceJob,
  database: SqlClient,
  { streams, seed }: RunRecord & { streams: string },
): AssembledService {
  const bus = new RedisStreamEventBus({
    redis: servers.redisUrl,
    serviceName: service.name,
    streamPrefix: streams,
    claimMs,
    reclaimEveryMs,
    observer: (seen) => {
      if (seen.kind === 'lost') tell({ kind: 'lost', what: describeLoss(seen, service.name) });
    },
  });
  return assembleService(service, {
    eventBus: wrap.eventBus?.(bus) ?? bus,
    store: new PostgresEventStore({ client: database, schemaName: schema }),
    seed,
    consuming: { database, schemaName: schema, concurrency, redrivePollMs },
  });
}

async function work(
  job: ServiceJob,
  database: SqlClient,
  assembled: AssembledService,
): Promise<void> {
  const { publisher, subscriber } = assembled;
  await publisher.connect(); // also relays what others left in the outbox
  await subscriber.start();
  job.tell({ kind: 'ready' });
  const dock = job.service === quickIntakez ? runDock(job, database, assembled) : undefined;
  await Promise.all([dock, untilStopped(job, assembled)]);
}

/** Takes in what is not there yet; after a restart, that is what its predecessor had still to do. */
async function runDock(
  { manifest, orders, signal }: ServiceJob,
  database: SqlClient,
  { publisher }: AssembledService,
): Promise<void> {
  const run = (await readRun(database))!;
  const input = await loadInput(manifest, orders);
  assertSameInput(run, input);
  await receiveGoods({ database, publisher, seed: run.seed, input, signal });
}

async function untilStopped(
  { signal }: ServiceJob,
  { subscriber }: AssembledService,
): Promise<void> {
  while (!signal.aborted) {
    const { status, reasons } = subscriber.health();
    if (status === 'failed') throw new Error(reasons.join(', '));
    await sleep(healthPollMs, undefined, { signal, ref: false }).catch(() => {});
  }
}
