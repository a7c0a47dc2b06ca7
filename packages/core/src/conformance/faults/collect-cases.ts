import type { TestApi } from '../test-api.ts';

/** A case of a suite, taken out to be run apart from it. */
export interface CollectedCase {
  readonly name: string;
  readonly skipped: boolean;
  run(): Promise<void>;
}

/** Runs a suite's registration without a test runner. @returns Its cases, none of them run. */
export function collectCases(register: (api: TestApi) => void): CollectedCase[] {
  const cases: CollectedCase[] = [];
  const add =
    (skipped: boolean) =>
    (name: string, run: () => Promise<void>): void =>
      void cases.push({ name, skipped, run });
  register({
    describe: (_name, body) => body(),
    it: Object.assign(add(false), { skip: add(true) }),
  });
  return cases;
}
