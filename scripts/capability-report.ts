import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

import { root } from './bootstrap.mjs';
import {
  capabilityPage,
  caseOf,
  isWholeRun,
  type CaseResult,
} from './reference/capability-matrix.ts';

/** Only adapters that people get have a column; what a document builds for its readers has none. */
const packages = join(root, 'packages/');
const page = join(root, 'docs/reference/capabilities.md');

/**
 * Makes the capability matrix out of the conformance suites of a run, and fails the run when the page
 * in the docs says something else. `WRITE_REFERENCE=1` writes the page instead.
 */
export default class CapabilityReport implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const results = modules
      .filter(({ moduleId }) => moduleId.startsWith(packages))
      .flatMap((module) => [...module.children.allTests()].flatMap(resultOf));
    if (!isWholeRun(results)) return;
    const text = capabilityPage(results);
    if (process.env['WRITE_REFERENCE'] === '1') {
      writeFileSync(page, text);
    } else if (readFileSync(page, 'utf8') !== text) {
      console.error(
        '\ndocs/reference/capabilities.md differs from this run; `npm run reference` writes it anew',
      );
      process.exitCode = 1;
    }
  }
}

function resultOf(test: TestCase): CaseResult[] {
  const found = caseOf(pathOf(test));
  const { state } = test.result();
  return found && state !== 'pending' ? [{ ...found, state }] : [];
}

/** Names from the outside in. */
function pathOf(test: TestCase): string[] {
  const names = [test.name];
  for (let parent = test.parent; parent.type === 'suite'; parent = parent.parent)
    names.unshift(parent.name);
  return names;
}
