// Checks every import and every package.json against the table in import-rules.ts.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { isBuiltin } from 'node:module';
import { root } from '../bootstrap.mjs';
import { findImports, type FoundImport } from './find-imports.ts';
import { importRules, type ImportRule } from './import-rules.ts';

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/**
 * Lists what crosses a boundary.
 *
 * @param checkout Folder with the workspaces that `rules` name.
 * @returns One line per violation: where, what, and which rule.
 */
export function findViolations(checkout: string, rules: readonly ImportRule[]): string[] {
  const folders = globSync(['packages/*/package.json', 'examples/*/package.json'], {
    cwd: checkout,
  }).map(dirname);
  const withoutRule = folders.filter((folder) => !rules.some((rule) => rule.folder === folder));
  return [
    ...withoutRule.map((folder) => `${folder}: has no row in import-rules.ts`),
    ...rules.flatMap((rule) => checkWorkspace(checkout, rule, rules)),
  ];
}

function checkWorkspace(
  checkout: string,
  rule: ImportRule,
  rules: readonly ImportRule[],
): string[] {
  const manifest = readManifest(checkout, rule.folder);
  const published = new Set(
    rules.flatMap(({ folder }) => publishedNames(readManifest(checkout, folder))),
  );
  const sources = globSync(`${rule.folder}/**/*.ts`, {
    cwd: checkout,
    exclude: ['**/node_modules/**', '**/dist/**', '**/*.test.ts', '**/*.test-d.ts', '**/test/**'],
  });
  return [
    ...checkManifest(rule, manifest),
    ...checkRooms(rule),
    ...sources.flatMap((file) => {
      const source = readFileSync(join(checkout, file), 'utf8');
      const complaints = findImports(file, source).flatMap((found) =>
        checkImport({ found, file, rule, manifest, published }).map(
          (complaint) => `${file}:${found.line}: "${found.specifier}" ${complaint}`,
        ),
      );
      return [...complaints, ...checkWords(file, source, rule)];
    }),
  ];
}

function checkManifest(rule: ImportRule, manifest: Manifest): string[] {
  const allowed = [...rule.ours, ...rule.others];
  return dependenciesOf(manifest)
    .filter((name) => !allowed.includes(name))
    .map((name) => `${rule.folder}/package.json: "${name}" is not in its row of import-rules.ts`);
}

function checkImport(at: {
  found: FoundImport;
  file: string;
  rule: ImportRule;
  manifest: Manifest;
  published: ReadonlySet<string>;
}): string[] {
  const { specifier, isReexport } = at.found;
  if (specifier.startsWith('.')) return checkRelative(specifier, at);
  if (isBuiltin(specifier)) return specifier.startsWith('node:') ? [] : ['lacks "node:"'];
  const name = packageNameOf(specifier);
  if (name === at.manifest.name) return ['is the package itself: import the file'];
  if (!at.rule.ours.includes(name) && !at.rule.others.includes(name)) {
    return ['is not in this package’s row of import-rules.ts'];
  }
  const isOurs = at.rule.ours.includes(name);
  return [
    ...(dependenciesOf(at.manifest).includes(name) ? [] : ['is missing in package.json']),
    ...(isOurs && !at.published.has(specifier) ? ['is a deep path, not a published name'] : []),
    ...(isOurs && isReexport && !at.rule.mayReexport ? ['is exported once more'] : []),
  ];
}

function checkRelative(
  specifier: string,
  at: { file: string; rule: ImportRule; manifest: Manifest },
): string[] {
  const { folder, rooms } = at.rule;
  const target = relative(folder, resolve('/', dirname(at.file), specifier).slice(1));
  if (target.startsWith('..')) return ['leaves the package'];
  const file = relative(folder, at.file);
  if (!rooms || !file.startsWith('src/') || entriesOf(at.manifest).has(file)) return [];
  const [from, to] = [roomOf(file), roomOf(target)];
  if (from === to || to === undefined) return [];
  if (from === undefined)
    return ['leads into a folder: files at the top are for all and know none'];
  return rooms[from]?.includes(to) ? [] : [`leads from ${from} to ${to}, which its row forbids`];
}

/** The folder of `src` that a file of a package lies in; `undefined` for the top. */
function roomOf(file: string): string | undefined {
  const [source, room, ...rest] = file.split('/');
  return source === 'src' && rest.length > 0 ? room : undefined;
}

/** Complains of rooms that name others below them: two such rows make a circle. */
function checkRooms({ folder, rooms = {} }: ImportRule): string[] {
  const order = Object.keys(rooms);
  return order.flatMap((room, index) =>
    rooms[room]!.filter((other) => !order.slice(0, index).includes(other)).map(
      (other) => `${folder}: room ${room} names ${other}, which does not stand above it`,
    ),
  );
}

function checkWords(file: string, source: string, { foreignWords }: ImportRule): string[] {
  if (foreignWords === undefined) return [];
  return source.split('\n').flatMap((text, index) => {
    const word = foreignWords.exec(text)?.[0];
    return word ? [`${file}:${index + 1}: "${word}" is a product's word`] : [];
  });
}

function dependenciesOf(manifest: Manifest): string[] {
  return Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
}

function publishedNames({ name, exports = {} }: Manifest): string[] {
  return Object.keys(exports).map((subpath) => name + subpath.slice(1));
}

/** The sources that a package publishes. */
function entriesOf({ exports = {} }: Manifest): ReadonlySet<string> {
  const sources = Object.values(exports).map((entry) => (entry as { source?: string }).source);
  return new Set(sources.flatMap((source) => (source ? [source.replace(/^\.\//, '')] : [])));
}

function packageNameOf(specifier: string): string {
  const [first = '', second = ''] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

function readManifest(checkout: string, folder: string): Manifest {
  return JSON.parse(readFileSync(join(checkout, folder, 'package.json'), 'utf8')) as Manifest;
}

if (import.meta.main) {
  const violations = findViolations(root, importRules);
  for (const violation of violations) console.error(violation);
  if (violations.length > 0) process.exitCode = 1;
}
