/** What a suite needs of a test runner; `describe` and `it` of vitest, jest and `node:test` fit. */
export interface TestApi {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: TestFunction;
}

export interface TestFunction {
  (name: string, body: () => Promise<void>): unknown;
  readonly skip: (name: string, body: () => Promise<void>) => unknown;
}

/** Registers one case. */
export type RegisterCase = (name: string, body: () => Promise<void>) => void;

/**
 * Registers cases that only make sense where `able`; elsewhere they are skipped and say why.
 *
 * @param reason Why they are skipped, e.g. `keeps no history`.
 */
export function itWhen(it: TestFunction, able: boolean, reason: string): RegisterCase {
  if (able) return (name, body) => void it(name, body);
  return (name, body) => void it.skip(`${name} (skipped: ${reason})`, body);
}
