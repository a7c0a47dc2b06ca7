import type { StandardSchemaV1 } from '@standard-schema/spec';

import { maxTimerMs } from '../clock.ts';
import type { Catalogue } from '../event/catalogue.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';
import type { Handler, Middleware } from './handler.ts';
import { nameHandler, type HandlerName } from './handler-name.ts';
import type { WarningCode } from '../observer.ts';
import { compilePatterns, isWildcard } from '../event/patterns.ts';
import type { Registration, Step } from './policies/step.ts';
import { assertKnownOptions, assertRange, type OptionNames } from '../options.ts';
import { assertRetryPolicy, mergeRetryPolicy, type RetryPolicy } from '../retry/retry-policy.ts';
import type { Warnings } from '../warnings.ts';

/** What one handler may ask for. */
export interface HandlerOptions {
  /** Name within the group, stable over restarts; made from the patterns, in any order, unless given. */
  name?: string;
  /**
   * Names that it had before, also those that were made from its patterns then: what was handled or failed
   * under them is known, here and by instances that still use them.
   */
  formerly?: readonly string[];
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
  silence?: readonly WarningCode[];
}

/** The names of all options, for those who have more of them. */
export const handlerOptions: OptionNames<HandlerOptions> = {
  name: true,
  formerly: true,
  schema: true,
  retry: true,
  timeoutMs: true,
  inbox: true,
  silence: true,
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
  /** The handlers that the group has already. */
  others: readonly Registration[];
  chain: (name: string, once: boolean) => Step;
}): Registration & Pick<HandlerName, 'clashesWith'> {
  const { patterns, handler, options: asked, defaults } = options;
  if (patterns.length === 0) throw new TypeError('a handler needs at least one event type');
  if (typeof handler !== 'function')
    throw new TypeError(`handler for ${patterns.join(', ')} must be a function`);
  const named = nameHandler(patterns, asked, options.others);
  const where = `handler ${named.name}`;
  assertKnownOptions(where, asked, handlerOptions);
  const retry = mergeRetryPolicy(defaults.retry, asked.retry);
  assertRetryPolicy(retry, where);
  const timeoutMs = asked.timeoutMs ?? defaults.timeoutMs;
  assertRange(where, 'timeoutMs', timeoutMs, 1, maxTimerMs);
  return {
    ...named,
    patterns: [...patterns],
    matches: compilePatterns(patterns),
    handler: options.middleware.reduceRight((next, wrap) => wrap(next), handler),
    schema: asked.schema,
    retry,
    timeoutMs,
    inbox: asked.inbox ?? false,
    run: options.chain(named.name, false),
    runOnce: options.chain(named.name, true),
  };
}

/** @throws {TypeError} If a handler asks for an inbox, or for what was kept of it, where there is none. */
export function assertInbox(
  { name, formerly, inbox }: Registration,
  group: Pick<ConsumerGroupOptions, 'group' | 'transactions' | 'inbox'>,
): void {
  if (group.group === null && formerly.length > 0) {
    throw new TypeError(`handler ${name}: a broadcast subscription keeps nothing by former names`);
  }
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
  { silence = [] }: Pick<HandlerOptions, 'silence'>,
  warnings: Warnings,
): void {
  if (silence.includes('WILDCARD_IN_PRODUCTION') || !patterns.some(isWildcard)) return;
  warnings.once(
    'WILDCARD_IN_PRODUCTION',
    name,
    `handler ${name} takes every type that matches ${patterns.join(', ')}; name the types, or say silence: ['WILDCARD_IN_PRODUCTION']`,
  );
}

/** What is kept of a handler must not depend on the order in which it was registered. */
export function warnAboutName(
  { name, clashesWith }: Pick<HandlerName, 'name' | 'clashesWith'>,
  { silence = [] }: Pick<HandlerOptions, 'silence'>,
  warnings: Warnings,
): void {
  if (clashesWith === undefined || silence.includes('HANDLER_UNNAMED')) return;
  warnings.once(
    'HANDLER_UNNAMED',
    name,
    `handlers ${clashesWith} and ${name} are for the same types, and only the order in which they are registered tells them apart; give each a name, or what one of them has handled may be taken for the other's`,
  );
}
