// Writes the reference pages that are made from code. A test fails when they differ from it.

import { writeFileSync } from 'node:fs';

import { referencePages } from './reference-pages.ts';

for (const { path, text } of referencePages()) {
  writeFileSync(path, text());
  console.log(path);
}
