import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

import { describe, expect, it } from 'vitest';

import { root } from '../bootstrap.mjs';
import { referencePages } from './reference-pages.ts';

describe('reference pages', () => {
  it.each(referencePages().map((page) => [relative(root, page.path), page] as const))(
    '%s says what the code says; run `npm run reference` if it does not',
    (_, { path, text }) => {
      expect(readFileSync(path, 'utf8')).toBe(text());
    },
  );
});
