import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findViolations } from './boundaries.ts';
import type { ImportRule } from './import-rules.ts';

const rules: readonly ImportRule[] = [
  { folder: 'packages/core', ours: [], others: [], foreignWords: /qlid/i },
  { folder: 'packages/store', ours: ['@x/core'], others: ['pg'] },
];

describe('package boundaries', () => {
  let checkout: string;

  const write = async (file: string, content: string) => {
    await mkdir(dirname(join(checkout, file)), { recursive: true });
    await writeFile(join(checkout, file), content);
  };
  const manifest = (name: string, dependencies: Record<string, string> = {}) =>
    JSON.stringify({ name, exports: { '.': {}, './memory': {} }, dependencies });

  beforeEach(async () => {
    checkout = await mkdtemp(join(tmpdir(), 'boundaries-test-'));
    await write('packages/core/package.json', manifest('@x/core'));
    await write('packages/store/package.json', manifest('@x/store', { '@x/core': '1', pg: '8' }));
  });
  afterEach(() => rm(checkout, { recursive: true }));

  it('let through what the row allows', async () => {
    await write(
      'packages/store/src/index.ts',
      `import { join } from 'node:path';
       import type { A } from '@x/core';
       import { B } from '@x/core/memory';
       import pg from 'pg';
       import { c } from './c.ts';`,
    );

    expect(findViolations(checkout, rules)).toEqual([]);
  });

  it.for([
    ["import { S } from '@x/store';", 'is not in this package’s row'],
    ["import type { S } from '@x/store';", 'is not in this package’s row'],
    ["export * from '@x/store';", 'is not in this package’s row'],
    ["const s = await import('@x/store');", 'is not in this package’s row'],
    ["import lodash from 'lodash';", 'is not in this package’s row'],
    ["import { s } from '../../store/src/index.ts';", 'leaves the package'],
    ["import { join } from 'path';", 'lacks "node:"'],
    ["import { a } from '@x/core';", 'is the package itself'],
    ['const qlid = 1;', "is a product's word"],
  ])('catch %s planted in core', async ([source = '', complaint]) => {
    await write('packages/core/src/index.ts', `export const fine = 1;\n${source}\n`);

    expect(findViolations(checkout, rules)).toEqual([
      expect.stringMatching(new RegExp(`^packages/core/src/index.ts:2: .*${complaint}`)),
    ]);
  });

  it.for([
    ["import { a } from '@x/core/src/a.ts';", 'is a deep path'],
    ["export { a } from '@x/core';", 'is exported once more'],
  ])('catch %s planted in an adapter', async ([source = '', complaint = '']) => {
    await write('packages/store/src/index.ts', source);

    expect(findViolations(checkout, rules)).toEqual([expect.stringContaining(complaint)]);
  });

  it('catch an import that package.json does not declare', async () => {
    await write('packages/store/package.json', manifest('@x/store', { '@x/core': '1' }));
    await write('packages/store/src/index.ts', "import pg from 'pg';");

    expect(findViolations(checkout, rules)).toEqual([
      expect.stringContaining('is missing in package.json'),
    ]);
  });

  it('catch a dependency that the row does not allow, even if nothing imports it', async () => {
    await write('packages/core/package.json', manifest('@x/core', { '@x/store': '1' }));

    expect(findViolations(checkout, rules)).toEqual([
      expect.stringContaining('packages/core/package.json: "@x/store"'),
    ]);
  });

  it('catch a package without a row', async () => {
    await write('packages/new/package.json', manifest('@x/new'));

    expect(findViolations(checkout, rules)).toEqual([
      'packages/new: has no row in import-rules.ts',
    ]);
  });

  describe('between the rooms of a package', () => {
    const withRooms: readonly ImportRule[] = [
      { folder: 'packages/core', ours: [], others: [], rooms: { event: [], publish: ['event'] } },
      rules[1]!,
    ];

    beforeEach(() =>
      write(
        'packages/core/package.json',
        JSON.stringify({ name: '@x/core', exports: { '.': { source: './src/index.ts' } } }),
      ),
    );

    it.for([
      ['publish/p.ts', "import { e } from '../event/e.ts';"],
      ['publish/p.ts', "import { t } from '../t.ts';"],
      ['publish/deep/p.ts', "import { p } from '../p.ts';"],
      ['index.ts', "export { e } from './event/e.ts';"],
    ])('let %s say %s', async ([file, source = '']) => {
      await write(`packages/core/src/${file}`, source);

      expect(findViolations(checkout, withRooms)).toEqual([]);
    });

    it.for([
      ['event/e.ts', "import { p } from '../publish/p.ts';", 'leads from event to publish'],
      ['publish/p.ts', "import { n } from '../new/n.ts';", 'leads from publish to new'],
      ['new/n.ts', "import type { e } from '../event/e.ts';", 'leads from new to event'],
      ['t.ts', "import { e } from './event/e.ts';", 'leads into a folder'],
    ])('catch %s that says %s', async ([file, source = '', complaint]) => {
      await write(`packages/core/src/${file}`, source);

      expect(findViolations(checkout, withRooms)).toEqual([expect.stringContaining(complaint!)]);
    });

    it('catch rows that make a circle', () => {
      const circle = { ...withRooms[0]!, rooms: { a: ['b'], b: ['a'] } };

      expect(findViolations(checkout, [circle, rules[1]!])).toEqual([
        'packages/core: room a names b, which does not stand above it',
      ]);
    });
  });

  it('leave tests and imports in comments alone', async () => {
    await write('packages/core/src/a.test.ts', "import { S } from '@x/store';");
    await write('packages/core/src/a.ts', "/** import { S } from '@x/store'; */\nexport {};");

    expect(findViolations(checkout, rules)).toEqual([]);
  });
});
