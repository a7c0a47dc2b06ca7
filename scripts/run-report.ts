import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';
import type { MissingService } from './services/start-services.ts';

/**
 * Ends a test run with what was skipped and why, what failed, and one line of counts: whoever has
 * only the end of the output still learns where to look.
 */
export default class RunReport implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly ReportedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const failed = [...modules.flatMap(listFailed), ...errors.map(describeError)];
    printList('Skipped', modules.flatMap(listSkipped));
    printList('Failed', failed);
    console.log(
      `\n${count('passed')} passed, ${failed.length} failed, ${count('skipped')} skipped`,
    );
  }
}

/** What is thrown need not be an error. */
type ReportedError = {
  readonly message?: unknown;
  readonly stacks?: readonly { readonly file: string; readonly line: number }[];
};

function printList(heading: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  console.log(`\n${heading}:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}

/** One line per failed test, and one per error of a file or suite outside its tests. */
function listFailed(module: TestModule): string[] {
  const tests = [...module.children.allTests('failed')].map((test) => {
    const errors = test.result().errors ?? [];
    return `${test.fullName}: ${errors.map(describeError).join('; ')}`;
  });
  const suites = [...module.children.allSuites()].flatMap((suite) =>
    suite.errors().map((error) => `${suite.fullName}: ${describeError(error)}`),
  );
  const whole = module.errors().map(describeError);
  return [...tests, ...suites, ...whole].map((line) => `${module.relativeModuleId} > ${line}`);
}

function describeError({ message, stacks = [] }: ReportedError): string {
  const [firstLine] = stripVTControlCharacters(String(message)).split('\n', 1);
  const places = stacks.slice(0, 1).map(({ file, line }) => ` (${relative('.', file)}:${line})`);
  return `${firstLine}${places.join('')}`;
}

/** One line per skipped suite, and one per reason for which a suite skips some of its tests. */
function listSkipped(module: TestModule): string[] {
  const lines: string[] = [];
  const visit = (parent: TestModule | TestSuite) => {
    const testsByReason = new Map<string, string[]>();
    for (const child of parent.children) {
      if (child.type === 'suite') {
        if (isSkipped(child)) lines.push(Object.values(describeSkipped(child, module)).join(': '));
        else if (child.errors().length === 0) visit(child);
      } else if (child.result().state === 'skipped') {
        const { name, reason } = describeSkipped(child, module);
        testsByReason.set(reason, [...(testsByReason.get(reason) ?? []), name]);
      }
    }
    for (const [reason, [first, ...more]] of testsByReason)
      lines.push(`${first}${more.length > 0 ? ` and ${more.length} more` : ''}: ${reason}`);
  };
  visit(module);
  return lines.map((line) => `${module.relativeModuleId} > ${line}`);
}

/** A suite whose tests did not run because its set-up failed is listed as failed instead. */
function isSkipped(suite: TestSuite): boolean {
  const tests = [...suite.children.allTests()];
  if (tests.length === 0 || suite.errors().length > 0) return false;
  return tests.every((test) => test.result().state === 'skipped');
}

/** A suite that knows no `context.skip` carries the reason in its name: "does it (skipped: why)". */
function describeSkipped(
  skipped: TestCase | TestSuite,
  module: TestModule,
): { name: string; reason: string } {
  const [, name = skipped.fullName, reason = reasonOf(skipped, module)] =
    /^(.*) \(skipped: (.*)\)$/s.exec(skipped.fullName) ?? [];
  return { name, reason };
}

function reasonOf(skipped: TestCase | TestSuite, module: TestModule): string {
  const note = noteOf(skipped);
  if (note !== undefined) return note;
  const missing = JSON.parse(process.env.MISSING_SERVICES ?? '[]') as MissingService[];
  const isIntegration = module.relativeModuleId.endsWith('.integration.test.ts');
  if (!isIntegration || missing.length === 0) return 'no reason given';
  return missing.map(({ name, reason }) => `${name} is missing (${reason})`).join('; ');
}

/** What a test passed to `context.skip(note)`; a suite's is that of its first test. */
function noteOf(skipped: TestCase | TestSuite): string | undefined {
  const [test] = skipped.type === 'test' ? [skipped] : skipped.children.allTests();
  const result = test?.result();
  return result?.state === 'skipped' ? result.note : undefined;
}
