import type { StandardSchemaV1 } from '@standard-schema/spec';

import { compilePattern, isWildcard } from './patterns.ts';

/** Turns the data of an older version into that of the next one. */
type Upcaster = (data: unknown) => unknown;

/** What is agreed about events, whichever type they are of. */
interface Agreement<Data> {
  /** Version of the schema, 1 or more. */
  readonly version: number;
  readonly description: string;
  /** Name of the service that publishes it. */
  readonly owner: string;
  readonly schema: StandardSchemaV1<unknown, Data>;
  /**
   * Turns the data of an older version into that of the next one: `upcasters[1]` takes version 1 and
   * returns version 2. Every version from 1 to `version - 1` has one.
   */
  readonly upcasters: Readonly<Record<number, Upcaster>>;
}

/** What is agreed about one type of event. */
export interface EventDefinition<
  Type extends string = string,
  Data = unknown,
> extends Agreement<Data> {
  readonly type: Type;
}

/** What is agreed about all types that match a pattern, such as those that exist only at run time. */
export interface EventPatternDefinition<Data = unknown> extends Agreement<Data> {
  readonly pattern: string;
}

/** The data type that a definition describes. */
export type DataOf<D> = D extends Agreement<infer Data> ? Data : never;

/** What a definition says beside the types that it is about. */
interface Described<Schema extends StandardSchemaV1> {
  version?: number;
  description: string;
  owner: string;
  schema: Schema;
  upcasters?: Readonly<Record<number, Upcaster>>;
}

/**
 * Describes one type of event.
 *
 * @throws {TypeError} If the type is a pattern, the version is not a whole number from 1 on, or an
 *   upcaster is missing.
 */
export function defineEvent<const Type extends string, Schema extends StandardSchemaV1>(
  definition: Described<Schema> & { type: Type },
): EventDefinition<Type, StandardSchemaV1.InferOutput<Schema>> {
  const { type } = definition;
  if (isWildcard(type)) {
    throw new TypeError(`${type} is a pattern of event types; define it with defineEventPattern`);
  }
  return Object.freeze({ type, ...agreementOf(type, definition) });
}

/**
 * Describes all types that match a pattern, for families of types that nobody can list: with
 * `saga.*.started`, each saga's own `started` is known. A type that is defined by itself is left to its
 * definition, and of several patterns the most specific one counts.
 *
 * @throws {TypeError} If the pattern is malformed or has no `*`, the version is not a whole number from 1
 *   on, or an upcaster is missing.
 */
export function defineEventPattern<Schema extends StandardSchemaV1>(
  definition: Described<Schema> & { pattern: string },
): EventPatternDefinition<StandardSchemaV1.InferOutput<Schema>> {
  const { pattern } = definition;
  compilePattern(pattern);
  if (!isWildcard(pattern)) {
    throw new TypeError(
      `${pattern} has no "*", so it is one event type; define it with defineEvent`,
    );
  }
  return Object.freeze({ pattern, ...agreementOf(pattern, definition) });
}

function agreementOf<Schema extends StandardSchemaV1>(
  what: string,
  definition: Described<Schema>,
): Agreement<StandardSchemaV1.InferOutput<Schema>> {
  const { version = 1, upcasters = {}, description, owner } = definition;
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new TypeError(`version of ${what} must be a whole number from 1 on, got ${version}`);
  }
  for (let from = 1; from < version; from += 1) {
    if (!upcasters[from])
      throw new TypeError(`${what} version ${version} lacks an upcaster from version ${from}`);
  }
  const schema = definition.schema as StandardSchemaV1<
    unknown,
    StandardSchemaV1.InferOutput<Schema>
  >;
  return { version, description, owner, schema, upcasters };
}
