import assert, { AssertionError } from 'node:assert/strict';

import { systemClock } from '../clock.ts';
import { isEventError } from '../errors.ts';
import { collectCases, type CollectedCase } from './faults/collect-cases.ts';
import { itWhen, type TestApi } from './test-api.ts';

/** A way in which an adapter can be wrong, and the case of its suite that must notice it. */
export interface PlantedFault<Options> {
  /** What the adapter does wrong, e.g. `drops one message in a thousand`. */
  readonly name: string;
  /** Name of the case. */
  readonly noticedBy: string;
  /** Puts the fault around the adapter under test. */
  plant(options: Options): Options;
}

/** Parts of a suite's options that the proof needs. */
interface SuiteOptions {
  readonly timeoutMs?: number;
  readonly quietMs?: number;
}

/**
 * Proves that a suite notices what it is there for: each fault in turn is put around the adapter, and
 * the case that must notice it has to fail, right after it has passed on the adapter as it is.
 *
 * @param name Of the adapter, for the report.
 * @param proof.describeSuite The suite, e.g. `describeTransport`.
 * @param proof.options What the suite is given for the sound adapter.
 * @param proof.faults E.g. `plantedTransportFaults`.
 * @param proof.timeoutMs How long to wait for what a fault may keep from ever coming, or may let through, in
 *   milliseconds; 200 unless given. Where the sound adapter needed longer for the whole case, the wait is longer, too.
 * @param api `describe` and `it` of the caller's test runner.
 */
export function describePlantedFaults<Options extends SuiteOptions>(
  name: string,
  {
    describeSuite,
    options,
    faults,
    timeoutMs = 200,
  }: {
    describeSuite: (name: string, options: Options, api: TestApi) => void;
    options: Options;
    faults: readonly PlantedFault<Options>[];
    timeoutMs?: number;
  },
  { describe, it }: TestApi,
): void {
  describe(`planted faults of ${name}`, () => {
    for (const fault of faults) {
      const noticing = (given: Options): CollectedCase => {
        const cases = collectCases((api) => describeSuite(name, given, api));
        const found = cases.find((each) => each.name.startsWith(fault.noticedBy));
        if (found) return found;
        throw new TypeError(`there is no case named ${fault.noticedBy}`);
      };
      const [sound, planted] = [noticing(options), noticing(fault.plant(options))];
      const able = !sound.skipped && !planted.skipped;
      const register = itWhen(it, able, 'the case that would notice it is skipped');
      register(`notices an adapter that ${fault.name}`, async () => {
        const neededMs = await timeOf(sound);
        const patience = {
          timeoutMs: Math.max(timeoutMs, 2 * neededMs),
          quietMs: Math.max(timeoutMs, neededMs),
        };
        await assertNoticed(noticing(fault.plant({ ...options, ...patience })));
      });
    }
  });
}

/** Runs a case that has to pass. @returns How long it took, in milliseconds. */
async function timeOf({ name, run }: CollectedCase): Promise<number> {
  const startedAt = systemClock.now();
  try {
    await run();
  } catch (cause) {
    throw new Error(`"${name}" fails without the fault, too`, { cause });
  }
  return systemClock.now() - startedAt;
}

/** Fails unless the case fails because of what it looks for, not because it could not even run. */
async function assertNoticed({ name, run }: CollectedCase): Promise<void> {
  const outcome = await run().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  assert.ok(outcome, `"${name}" did not notice it`);
  const { error } = outcome;
  if (!(error instanceof AssertionError) && !isEventError(error)) throw error;
}
