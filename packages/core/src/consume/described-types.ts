import type { Catalogue } from '../event/catalogue.ts';
import type { HandlerOptions } from './registration.ts';
import type { Warnings } from '../warnings.ts';

/**
 * Refuses a handler of types that a strict subscriber can know nothing of: nothing would hold their events to
 * anything, and mostly it is a name that was misspelt. A handler with a schema of its own is left to that.
 *
 * @throws {TypeError} If the catalogue describes nothing that a pattern could match.
 */
export function assertDescribed(
  patterns: readonly string[],
  { schema }: Pick<HandlerOptions, 'schema'>,
  catalogue: Catalogue,
): void {
  if (schema && '~standard' in schema) return;
  const [unknown] = undescribed(patterns, [catalogue, schema]);
  if (unknown) throw new TypeError(`a strict subscriber: ${unknown.message}`);
}

/** Warns of a handler that may wait for ever, since its type is misspelt or of nobody's catalogue. */
export function warnAboutUndescribed(
  { name, patterns }: { readonly name: string; readonly patterns: readonly string[] },
  { schema, silence = [] }: Pick<HandlerOptions, 'schema' | 'silence'>,
  catalogue: Catalogue | undefined,
  warnings: Warnings,
): void {
  if (!catalogue || silence.includes('HANDLER_TYPE_UNKNOWN')) return;
  const known = schema && !('~standard' in schema) ? schema : undefined;
  for (const { pattern, message } of undescribed(patterns, [catalogue, known])) {
    warnings.once('HANDLER_TYPE_UNKNOWN', `${name} ${pattern}`, `handler ${name}: ${message}`);
  }
}

function undescribed(
  patterns: readonly string[],
  catalogues: readonly (Catalogue | undefined)[],
): { pattern: string; message: string }[] {
  return patterns
    .filter((pattern) => !catalogues.some((catalogue) => catalogue?.describes(pattern)))
    .map((pattern) => ({ pattern, message: messageFor(pattern, catalogues) }));
}

function messageFor(pattern: string, catalogues: readonly (Catalogue | undefined)[]): string {
  const near = catalogues
    .map((catalogue) => catalogue?.nearest(pattern))
    .find((each) => each !== undefined);
  const what = pattern.includes('*')
    ? `no type of the catalogue matches ${pattern}`
    : `${pattern} is in no catalogue`;
  return near
    ? `${what}; did you mean ${near}?`
    : `${what}; define it with defineEvent, or subscribe to one that is`;
}
