import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';
import type { MissingService } from './services/start-services.ts';

/** Ends a test run with what was skipped and why, then one line of counts. */
export default class RunReport implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const skipped = modules.flatMap(listSkipped);
    if (skipped.length > 0)
      console.log(`\nSkipped:\n${skipped.map((line) => `  ${line}`).join('\n')}`);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const broken = errors.length + modules.filter((module) => module.errors().length > 0).length;
    const failed = count('failed') + broken;
    console.log(`\n${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped`);
  }
}

/** One line per skipped suite; tests that were skipped alone get a line each. */
function listSkipped(module: TestModule): string[] {
  const lines: string[] = [];
  const visit = (parent: TestModule | TestSuite) => {
    for (const child of parent.children) {
      const wholeSuite = child.type === 'suite' && isSkipped(child);
      if (wholeSuite || (child.type === 'test' && child.result().state === 'skipped')) {
        lines.push(`${module.relativeModuleId} > ${describeSkipped(child, module)}`);
      } else if (child.type === 'suite') {
        visit(child);
      }
    }
  };
  visit(module);
  return lines;
}

function isSkipped(suite: TestSuite): boolean {
  const tests = [...suite.children.allTests()];
  return tests.length > 0 && tests.every((test) => test.result().state === 'skipped');
}

/** A suite that knows no `context.skip` carries the reason in its name: "does it (skipped: why)". */
function describeSkipped(skipped: TestCase | TestSuite, module: TestModule): string {
  const [, name = skipped.fullName, reason = reasonOf(skipped, module)] =
    /^(.*) \(skipped: (.*)\)$/s.exec(skipped.fullName) ?? [];
  return `${name}: ${reason}`;
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
