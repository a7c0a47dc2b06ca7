// npm run reference: writes the pages that are made from code and from the conformance suites. A test
// fails when they differ from it.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

import { root, toolEnvironment } from '../bootstrap.mjs';
import { referencePages } from './reference-pages.ts';

for (const { path, text } of referencePages()) {
  writeFileSync(path, text());
  console.log(relative(root, path));
}

const suites = ['conformance', 'delivery', 'event-store', 'stores'];
const { status } = spawnSync('vitest', ['run', ...suites], {
  cwd: root,
  env: { ...toolEnvironment(), WRITE_REFERENCE: '1' },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
