import { createHash } from 'node:crypto';

import { assertName } from '../options.ts';
import type { Registration } from './policies/step.ts';

/** Leaves room for a number behind it. */
const maxDerivedLength = 240;
const hashLength = 12;

/** What a handler is called, and whether that was made from its patterns. */
export type HandlerName = Pick<Registration, 'name' | 'formerly' | 'derived'> & {
  /** The handler whose name, or former name, this one would have had. */
  readonly clashesWith: string | undefined;
};

/**
 * Names a handler: as it was asked for, else after its patterns, in whatever order they were given.
 *
 * @param asked.formerly Names that it had before.
 * @param others The handlers that the group has already.
 * @throws {TypeError} If a name is not usable, or belongs or belonged to another handler of the group.
 */
export function nameHandler(
  patterns: readonly string[],
  asked: { readonly name?: string; readonly formerly?: readonly string[] },
  others: readonly Registration[],
): HandlerName {
  const owners = new Map(
    others.flatMap(({ name, formerly }) => [name, ...formerly].map((each) => [each, name])),
  );
  const { name = unusedName(patterns, owners) } = asked;
  if (asked.name !== undefined) {
    assertName('a handler name', name);
    assertFree(`handler name ${name}`, name, owners);
  }
  return {
    name,
    formerly: formerNames(name, asked.formerly, owners),
    derived: asked.name === undefined,
    clashesWith: asked.name === undefined ? owners.get(nameAfter(patterns)) : undefined,
  };
}

/** A handler that the group called something else before is still the same one. */
export function isCalled({ name, formerly }: Registration, handler: string): boolean {
  return name === handler || formerly.includes(handler);
}

/** What was made from other patterns is another name, however many there are. */
function nameAfter(patterns: readonly string[]): string {
  const joined = [...new Set(patterns)].sort().join(',');
  if (joined.length <= maxDerivedLength) return joined;
  const hash = createHash('sha256').update(joined).digest('hex').slice(0, hashLength);
  return `${joined.slice(0, maxDerivedLength - hashLength - 1)}~${hash}`;
}

function unusedName(patterns: readonly string[], owners: ReadonlyMap<string, string>): string {
  const base = nameAfter(patterns);
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}#${number}`;
    if (!owners.has(name)) return name;
  }
}

function formerNames(
  name: string,
  formerly: readonly string[] = [],
  owners: ReadonlyMap<string, string>,
): readonly string[] {
  if (!Array.isArray(formerly)) {
    throw new TypeError(`handler ${name}: formerly must be a list of names`);
  }
  for (const former of formerly) {
    assertName(`a former name of handler ${name}`, former);
    if (former === name) {
      throw new TypeError(`handler ${name} is called that now; formerly takes other names it had`);
    }
    assertFree(`former name ${former} of handler ${name}`, former, owners);
  }
  return [...new Set(formerly)];
}

function assertFree(what: string, name: string, owners: ReadonlyMap<string, string>): void {
  const owner = owners.get(name);
  if (owner === undefined) return;
  const whose = owner === name ? 'taken' : `a former name of handler ${owner}`;
  throw new TypeError(`${what} is ${whose} in this group; names must differ`);
}
