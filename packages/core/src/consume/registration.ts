import type { StandardSchemaV1 } from '@standard-schema/spec';

import { maxTimerMs } from '../clock.ts';
import type { Catalogue } from '../event/catalogue.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';
import type { Handler, Middleware } from './handler.ts';
import type { WarningCode } from '../observer.ts';
import { compilePatterns, isWildcard } from '../event/patterns.ts';
import type { Registration, Step } from './policies/step.ts';
import { assertKnownOptions, assertName, assertRange, type OptionNames } from '../options.ts';
import { assertRetryPolicy, mergeRetryPolicy, type RetryPolicy } from '../retry/retry-policy.ts';
import type { Warnings } from '../warnings.ts';

/** What one handler may ask for. */
export interface HandlerOptions {
  /** Name within the group, stable over restarts; made from the patterns unless given. */
  name?: string;
  /**
   * Held against `data` before the handler runs; the handler gets its output. A catalogue has the schema
   * of each event's own type, and lets types pass that it does not know.
   */
  schema?: StandardSchemaV1 | Catalogue;
  /** Merged over the group's policy. */
  retry?: Partial<RetryPolicy>;
  /** Longest run of one attempt in milliseconds. */
  timeoutMs?: number;
  /** Run in a transaction (`context.tx`) that commits together with the memory of the event. */
  inbox?: boolean;
  /** Warnings that are meant to be so. */
  intended?: readonly WarningCode[];
}

/** The names of all options, for those who have more of them. */
export const handlerOptions: OptionNames<HandlerOptions> = {
  name: true,
  schema: true,
  retry: true,
  timeoutMs: true,
  inbox: true,
  intended: true,
};

/**
 * Checks what was asked for and puts the chain of policies around a handler.
 *
 * @throws {TypeError} If a pattern, an option or the name is not usable.
 */
export function register(options: {
  patterns: readonly string[];
  handler: Handler;
  options: HandlerOptions;
  defaults: { retry: RetryPolicy; timeoutMs: number };
  middleware: readonly Middleware[];
  takenNames: ReadonlySet<string>;
  chain: (once: boolean) => Step;
}): Registration {
  const { patterns, handler, options: asked, defaults } = options;
  if (patterns.length === 0) throw new TypeError('a handler needs at least one event type');
  if (typeof handler !== 'function')
    throw new TypeError(`handler for ${patterns.join(', ')} must be a function`);
  const name = nameFor(patterns, asked.name, options.takenNames);
  const where = `handler ${name}`;
  assertKnownOptions(where, asked, handlerOptions);
  const retry = mergeRetryPolicy(defaults.retry, asked.retry);
  assertRetryPolicy(retry, where);
  const timeoutMs = asked.timeoutMs ?? defaults.timeoutMs;
  assertRange(where, 'timeoutMs', timeoutMs, 1, maxTimerMs);
  return {
    name,
    derived: asked.name === undefined,
    formerly: [],
    patterns: [...patterns],
    matches: compilePatterns(patterns),
    handler: options.middleware.reduceRight((next, wrap) => wrap(next), handler),
    schema: asked.schema,
    retry,
    timeoutMs,
    inbox: asked.inbox ?? false,
    run: options.chain(false),
    runOnce: options.chain(true),
  };
}

/** @throws {TypeError} If a handler asks for an inbox where there is none. */
export function assertInbox(
  { name, inbox }: Registration,
  group: Pick<ConsumerGroupOptions, 'group' | 'transactions' | 'inbox'>,
): void {
  if (!inbox) return;
  if (group.group === null)
    throw new TypeError(`handler ${name}: a broadcast subscription has no inbox`);
  if (!group.transactions || !group.inbox) {
    throw new TypeError(
      `handler ${name}: { inbox: true } needs a database; pass { database } to the subscriber`,
    );
  }
}

/** For production, where a handler of types that nobody has thought of yet is worth a warning. */
export function warnAboutWildcards(
  { name, patterns }: Registration,
  { intended = [] }: Pick<HandlerOptions, 'intended'>,
  warnings: Warnings,
): void {
  if (intended.includes('WILDCARD_IN_PRODUCTION') || !patterns.some(isWildcard)) return;
  warnings.once(
    'WILDCARD_IN_PRODUCTION',
    name,
    `handler ${name} takes every type that matches ${patterns.join(', ')}; name the types, or say intended: ['WILDCARD_IN_PRODUCTION']`,
  );
}

function nameFor(
  patterns: readonly string[],
  given: string | undefined,
  taken: ReadonlySet<string>,
): string {
  if (given !== undefined) {
    assertName('a handler name', given);
    if (taken.has(given))
      throw new TypeError(`handler name ${given} is taken in this group; names must differ`);
    return given;
  }
  const base = patterns.join(',').slice(0, 240);
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}#${number}`;
    if (!taken.has(name)) return name;
  }
}
