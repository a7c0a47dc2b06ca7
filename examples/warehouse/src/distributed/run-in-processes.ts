import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isEventError, RedisStreamEventBus } from '@quickwms/events';
import { aboveProgress, withProgress } from '../progress.ts';
import { describeProgress, type Job, type RunServices } from '../run-warehouse.ts';
import { services } from '../services/index.ts';
import { quickIntakez } from '../services/quick-intakez.ts';
import { isSettled, type EventPlaces } from '../settle.ts';
import type { RunStreams } from './run-streams.ts';
import { Supervisor } from './supervisor.ts';
import type { Program } from './watched-process.ts';

/** Where the services meet, and what they take in. */
export interface ProcessesOptions extends RunStreams {
  readonly manifest: string;
  readonly orders: string | undefined;
  /** The file that runs the service that its first argument names; another one in tests. */
  readonly entry?: string;
}

const usualEntry = join(import.meta.dirname, 'service-process.ts');
const pollMs = 200;

/**
 * Runs each service as a process of its own, watches them, and waits until everything has settled.
 *
 * @returns What throws a `StartFailure` if a process cannot be started.
 */
export function inProcesses(options: ProcessesOptions): RunServices {
  const { redisUrl: redis, prefix: streamPrefix } = options;
  return async (_, store, job) => {
    // It belongs to no service, and only looks.
    const eventBus = new RedisStreamEventBus({ redis, serviceName: 'warehouse', streamPrefix });
    try {
      await eventBus.connect();
      const places = { store, transport: eventBus.transport };
      const missingBefore = await sayIfMissing(places, job);
      const seen = await superviseServices(options, places, job);
      // What nobody has seen, because all who knew of it had ended, too.
      return missingBefore + seen || (await sayIfMissing(places, job));
    } finally {
      await eventBus.shutdown();
    }
  };
}

/** @returns How much the services have seen to be lost. */
async function superviseServices(
  options: ProcessesOptions,
  places: EventPlaces,
  job: Job,
): Promise<number> {
  const supervisor = new Supervisor({
    programs: programsFor(options),
    say: aboveProgress(job.say),
  });
  const killNext = () => killAtNextSignal(supervisor);
  job.signal.addEventListener('abort', killNext, { once: true });
  const end = new AbortController();
  const signal = AbortSignal.any([job.signal, end.signal]);
  try {
    const settled = untilSettled(places, supervisor, { ...job, signal });
    await withProgress(Promise.race([settled, supervisor.failure]), () =>
      describe(places, supervisor, job),
    );
  } finally {
    end.abort();
    await supervisor.stop();
    job.signal.removeEventListener('abort', killNext);
  }
  return supervisor.losses;
}

function programsFor({ manifest, orders, entry = usualEntry }: ProcessesOptions): Program[] {
  const goods = ['--manifest', manifest, ...(orders === undefined ? [] : ['--orders', orders])];
  return services.map((service) => ({
    name: service.name,
    file: entry,
    args: service === quickIntakez ? [service.name, ...goods] : [service.name],
  }));
}

/** Whoever asks a second time does not want to wait until everything has stopped in order. */
function killAtNextSignal(supervisor: Supervisor): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      supervisor.kill();
      process.exit(130);
    });
  }
}

async function untilSettled(places: EventPlaces, supervisor: Supervisor, job: Job): Promise<void> {
  const { signal, input } = job;
  const until = async (isSo: () => Promise<boolean>) => {
    while (!(await answered(isSo))) await sleep(pollMs, undefined, { signal });
  };
  let groups = new Set<string>();
  await until(async () => supervisor.areAllJoined);
  await until(async () => (groups = await groupsOf(places)).size > 0);
  await until(async () => (await places.store.getCount('item.received')) === input.units.length);
  // A group that has vanished is made anew by its service, and may get something again.
  await until(async () => {
    const now = await groupsOf(places);
    return [...groups].every((group) => now.has(group)) && (await isSettled(places));
  });
}

/** Asks servers that may be away for a while; no answer is a no. */
async function answered(ask: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ask();
  } catch (error) {
    if (isEventError(error) && error.retryable) return false;
    throw error;
  }
}

async function groupsOf({ transport }: EventPlaces): Promise<Set<string>> {
  const { streams } = await transport.inspect();
  return new Set(streams.flatMap(({ name, groups }) => groups.map((group) => name + group.name)));
}

async function describe(places: EventPlaces, supervisor: Supervisor, job: Job): Promise<string> {
  const { up, restarts } = supervisor;
  const progress = await describeProgress(places, job).catch(() => 'a server does not answer');
  return [
    ...(up < services.length ? [`${up} of ${services.length} services are up`] : []),
    progress,
    ...(restarts === 0 ? [] : [`${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`]),
  ].join(', ');
}

/**
 * Says so if Redis holds fewer entries than events have left the outbox: nothing of a run is ever trimmed.
 * What was published twice may hide what is missing, so it is a lower bound.
 *
 * @returns How many are missing.
 */
async function sayIfMissing({ store, transport }: EventPlaces, job: Job): Promise<number> {
  // In this order, because services that are about to end may still be at work.
  const events = await store.getCount();
  const { waiting } = await store.outbox.status();
  const { streams } = await transport.inspect();
  const entries = streams.reduce((sum, { length }) => sum + length, 0);
  const missing = Math.max(0, events - waiting - entries);
  if (missing > 0) {
    job.say(
      `Redis has lost ${missing} of ${events - waiting} events that were published; those that were not handled never will be. Start over with --fresh.`,
    );
  }
  return missing;
}
