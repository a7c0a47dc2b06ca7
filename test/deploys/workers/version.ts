// One version of a service, as it is deployed: handles what its group gets until it is stopped, and tells its
// parent how it is, and whatever it logs.

import { once } from 'node:events';

import { Catalogue, defineEvent, isEventError, systemClock } from '@waybill/core';
import type { ConsumerGroup, Handler, Logger, StandardSchemaV1 } from '@waybill/core';
import type { SqlQueryable } from '@waybill/postgres';
import { tellParent, workerArgs } from '@waybill/testing';
import type { CrashPlan } from '@waybill/testing';

import type { Place } from '../support/modes.ts';
import { openVersion } from '../support/open-version.ts';

export interface VersionHandler {
  readonly patterns: readonly string[];
  readonly name?: string;
  readonly formerly?: readonly string[];
  /** Handles nothing before the process gets SIGUSR2. */
  readonly waits?: boolean;
}

export interface VersionArgs {
  readonly place: Place;
  readonly service: string;
  readonly version: string;
  readonly handlers: readonly VersionHandler[];
  /** How long each effect takes, in milliseconds. */
  readonly workMs?: number;
  /** Most messages taken and not finished; 100 unless given. */
  readonly maxInFlight?: number;
  /** Which version of each type its catalogue has; none has a catalogue unless given. */
  readonly knows?: Readonly<Record<string, number>>;
  /** Where to die. */
  readonly plan?: CrashPlan;
  readonly silentMs?: number;
  /** Without a logger, trouble goes to the standard error. */
  readonly logs?: boolean;
}

/** What a handler has done, as it stands in the table or list of effects. */
export interface Effect {
  readonly by: string;
  readonly handler: string;
  readonly eventId: string;
  readonly key: string;
}

const args = workerArgs<VersionArgs>();
// From the start: whoever is told that this is ready may say so at once.
const [toldToStop, toldToHandle] = [once(process, 'SIGTERM'), once(process, 'SIGUSR2')];
const log =
  (level: string) =>
  (details: object, text: string): void =>
    void tellParent('log', { text: `${level} ${(details as { code?: string }).code} ${text}` });
const logger: Logger | undefined = args.logs
  ? { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  : undefined;

const { place, service, plan, silentMs } = args;
const catalogue = args.knows && catalogueOf(args.knows);
const { bus, client, redis, points, close } = await openVersion({
  place,
  service,
  plan,
  silentMs,
  catalogue,
  logger,
});
const group = bus.consumers('stock', {
  worker: `${args.version}-${process.pid}`,
  concurrency: 10,
  maxInFlight: args.maxInFlight ?? 100,
  maxDeliveries: 100,
  registryEveryMs: 200,
  redrivePollMs: 100,
});
for (const { patterns, waits = false, ...named } of args.handlers) {
  const handler: Handler = async (event, { tx, key }) => {
    await tellParent('working', { eventId: event.id });
    if (waits) await toldToHandle;
    if (args.workMs) await systemClock.sleep(args.workMs);
    const effect = { by: args.version, handler: registered, eventId: event.id, key };
    await enter(effect, tx as SqlQueryable | undefined);
  };
  const registered: string = group.on(patterns, handler, { ...named, inbox: client !== undefined });
}
if (await started(group)) {
  await tellParent('ready');
  await watchHealth(toldToStop);
}
await close();
await tellParent('points', { names: points.names });

async function enter({ by, handler, eventId, key }: Effect, tx?: SqlQueryable): Promise<void> {
  if (client) {
    const text = 'INSERT INTO effects (version, handler, event_id, key) VALUES ($1, $2, $3, $4)';
    return void (await (tx ?? client).query(text, [by, handler, eventId, key]));
  }
  const effect: Effect = { by, handler, eventId, key };
  await redis!.rpush(`${place.streamPrefix}effects`, JSON.stringify(effect));
}

/** @returns False if the group is refused, which the parent is told. */
async function started(starting: ConsumerGroup): Promise<boolean> {
  try {
    await starting.start();
    return true;
  } catch (error) {
    if (!isEventError(error)) throw error;
    await tellParent('refused', { code: error.code, message: error.message });
    return false;
  }
}

/** Tells the parent how this version is, whenever that changes, until the end. */
async function watchHealth(end: Promise<unknown>): Promise<void> {
  const ended = new AbortController();
  void end.then(() => ended.abort());
  for (let before = ''; !ended.signal.aborted;) {
    const health = group.health();
    const now = JSON.stringify(health);
    if (now !== before) await tellParent('health', health);
    before = now;
    await systemClock.sleep(50, ended.signal);
  }
}

function catalogueOf(knows: Readonly<Record<string, number>>): Catalogue {
  const validate = (value: unknown): { value: unknown } => ({ value });
  const schema: StandardSchemaV1 = { '~standard': { version: 1, vendor: 'test', validate } };
  const upcast = (data: unknown): unknown => data;
  return new Catalogue(
    Object.entries(knows).map(([type, version]) => {
      const upcasters: Record<number, typeof upcast> = version === 1 ? {} : { 1: upcast };
      const about = { description: type, owner: 'test', schema };
      return defineEvent({ type, version, upcasters, ...about });
    }),
  );
}
