import assert, { AssertionError } from 'node:assert/strict';

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

/**
 * Proves that a suite notices what it is there for: each fault in turn is put around the adapter, and
 * the case that must notice it has to fail.
 *
 * Keep `timeoutMs` of the options short: many faults show only in what never comes.
 *
 * @param name Of the adapter, for the report.
 * @param options.describeSuite The suite, e.g. `describeTransport`.
 * @param options.options What the suite is given for the sound adapter.
 * @param options.faults E.g. `plantedTransportFaults`.
 * @param api `describe` and `it` of the caller's test runner.
 */
export function describePlantedFaults<Options>(
  name: string,
  {
    describeSuite,
    options,
    faults,
  }: {
    describeSuite: (name: string, options: Options, api: TestApi) => void;
    options: Options;
    faults: readonly PlantedFault<Options>[];
  },
  { describe, it }: TestApi,
): void {
  describe(`planted faults of ${name}`, () => {
    for (const fault of faults) {
      const cases = collectCases((api) => describeSuite(name, fault.plant(options), api));
      const noticing = cases.find((each) => each.name.startsWith(fault.noticedBy));
      if (!noticing) throw new TypeError(`there is no case named ${fault.noticedBy}`);
      const reason = 'the case that would notice it is skipped';
      const register = itWhen(it, !noticing.skipped, reason);
      register(`notices an adapter that ${fault.name}`, () => assertNoticed(noticing));
    }
  });
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
