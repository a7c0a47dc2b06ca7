import type { CrashMoment, CrashPlan } from './crash-points.ts';
import type { WorkerProcess } from './worker-process.ts';

/** One world, empty at first, in which a process does its whole work. */
export interface SweptWorld {
  /**
   * Starts the process. It builds its wrappers over `new CrashPoints(plan)`, ends by itself when the
   * work is done, and tells its parent `points` with `{ names }` before that.
   *
   * @param plan Where it has to die; absent for the process that finishes what is left.
   */
  start(plan?: CrashPlan): WorkerProcess;
  /** Throws if the death alone has left something behind that must not be. */
  checkAfterDeath?(crash: CrashPlan): Promise<void>;
  /** Throws if the world is not as it must be once the work is finished, whatever died on the way. */
  check(crash: CrashPlan | undefined): Promise<void>;
  close(): Promise<void>;
}

export interface SweepOptions {
  /** Makes a new world. */
  readonly world: () => Promise<SweptWorld>;
  /** Points to die at; every point of a recorded run unless given. */
  readonly points?: readonly string[];
  readonly moments?: readonly CrashMoment[];
  /** Says that a run may end without coming to a point, because a timer decides how often it comes. */
  readonly mayBeMissed?: (point: string) => boolean;
}

/** What a sweep did. */
export interface SweepReport {
  /** Every crash that was survived, as in `before COMMIT (INSERT outbox)`. */
  readonly survived: readonly string[];
  /** Crashes that did not happen, since the run did not come to their points. */
  readonly missed: readonly string[];
}

/**
 * Runs a process to its end and lists the points it came to.
 *
 * @returns Names that a `CrashPlan` understands, in the order of arrival.
 */
export async function recordPoints(world: SweptWorld): Promise<readonly string[]> {
  await using worker = world.start();
  const { names } = await worker.message<{ names: readonly string[] }>('points');
  await worker.finished();
  return names;
}

/**
 * Kills a process at each of its points, before and after, each time in a new world; then lets a fresh
 * process finish and has the world checked.
 *
 * @throws Error that names the point if the process did not die there of SIGKILL, if the fresh one did
 *   not finish, or if the world is wrong afterwards.
 */
export async function sweep(options: SweepOptions): Promise<SweepReport> {
  const { world, moments = ['before', 'after'], mayBeMissed = () => false } = options;
  const points = options.points ?? (await recordIn(world));
  const crashes = points.flatMap((point) => moments.map((moment) => ({ point, moment })));
  const report = { survived: [] as string[], missed: [] as string[] };
  for (const crash of crashes) {
    await inNewWorld(world, crash, async (made) => {
      const died = await dieAndFinish(made, crash, mayBeMissed(crash.point));
      report[died ? 'survived' : 'missed'].push(`${crash.moment} ${crash.point}`);
    });
  }
  return report;
}

async function recordIn(world: SweepOptions['world']): Promise<readonly string[]> {
  let points: readonly string[] = [];
  await inNewWorld(world, undefined, async (made) => {
    points = await recordPoints(made);
  });
  if (points.length === 0)
    throw new Error('the recorded run wrote nothing: there is nothing to sweep');
  return points;
}

/** @returns False if the process finished instead, where it may. */
async function dieAndFinish(
  world: SweptWorld,
  crash: CrashPlan,
  mayBeMissed: boolean,
): Promise<boolean> {
  await using doomed = world.start(crash);
  const { signal, code } = await doomed.ended();
  if (mayBeMissed && signal === null && code === 0) return false;
  await doomed.killed('SIGKILL');
  await world.checkAfterDeath?.(crash);
  await using heir = world.start();
  await heir.finished();
  return true;
}

async function inNewWorld(
  makeWorld: SweepOptions['world'],
  crash: CrashPlan | undefined,
  act: (world: SweptWorld) => Promise<void>,
): Promise<void> {
  const world = await makeWorld();
  try {
    await act(world);
    await world.check(crash);
  } catch (error) {
    const when = crash ? `a crash ${crash.moment} ${crash.point}` : 'the recorded run';
    throw new Error(`${when}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    await world.close();
  }
}
