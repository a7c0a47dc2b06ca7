import type { StandardSchemaV1 } from '@standard-schema/spec';

import { EventError, type PayloadIssue } from '../errors.ts';
import type { EventEnvelope } from './envelope.ts';

/** What is agreed about one type of event. */
export interface EventDefinition<Type extends string = string, Data = unknown> {
  readonly type: Type;
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
  readonly upcasters: Readonly<Record<number, (data: unknown) => unknown>>;
}

/** The data type that a definition describes. */
export type DataOf<D> = D extends EventDefinition<string, infer Data> ? Data : never;

/**
 * Describes one type of event.
 *
 * @throws {TypeError} If the version is not a whole number from 1 on, or an upcaster is missing.
 */
export function defineEvent<
  const Type extends string,
  Schema extends StandardSchemaV1,
>(definition: {
  type: Type;
  version?: number;
  description: string;
  owner: string;
  schema: Schema;
  upcasters?: Readonly<Record<number, (data: unknown) => unknown>>;
}): EventDefinition<Type, StandardSchemaV1.InferOutput<Schema>> {
  const { type, version = 1, upcasters = {}, description, owner } = definition;
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new TypeError(`version of ${type} must be a whole number from 1 on, got ${version}`);
  }
  for (let from = 1; from < version; from += 1) {
    if (!upcasters[from])
      throw new TypeError(`${type} version ${version} lacks an upcaster from version ${from}`);
  }
  const schema = definition.schema as StandardSchemaV1<
    unknown,
    StandardSchemaV1.InferOutput<Schema>
  >;
  return Object.freeze({ type, version, description, owner, schema, upcasters });
}

/** What a check of `data` found. Missing keys are told apart because a publisher may allow them. */
export interface PayloadCheck {
  readonly missing: readonly PayloadIssue[];
  readonly invalid: readonly PayloadIssue[];
}

/** All types that a product knows. */
export class Catalogue {
  readonly #definitions: ReadonlyMap<string, EventDefinition>;

  /** @throws {TypeError} If a type is defined twice. */
  constructor(definitions: readonly EventDefinition<string, never>[] | readonly EventDefinition[]) {
    const map = new Map<string, EventDefinition>();
    for (const definition of definitions as readonly EventDefinition[]) {
      if (map.has(definition.type))
        throw new TypeError(`event type ${definition.type} is defined twice`);
      map.set(definition.type, definition);
    }
    this.#definitions = map;
  }

  get(eventType: string): EventDefinition | undefined {
    return this.#definitions.get(eventType);
  }

  /** All definitions, ordered by type. */
  list(): EventDefinition[] {
    return [...this.#definitions.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
  }

  /**
   * Holds data against the schema of its type, current version.
   *
   * @returns What is missing and what is wrong; nothing of either for a type that is not defined.
   */
  async check(eventType: string, data: unknown): Promise<PayloadCheck> {
    const definition = this.#definitions.get(eventType);
    if (!definition) return { missing: [], invalid: [] };
    return await checkPayload(definition.schema, data);
  }

  /**
   * Brings an event up to the current version of its type.
   *
   * @returns The event itself if it is current, newer or of an unknown type; else a copy.
   * @throws {EventError} `PAYLOAD_INVALID` if an upcaster threw.
   */
  upcast(event: EventEnvelope): EventEnvelope {
    const definition = this.#definitions.get(event.type);
    if (!definition || event.version >= definition.version) return event;
    let data = event.data;
    try {
      for (let from = event.version; from < definition.version; from += 1) {
        data = definition.upcasters[from]!(data);
      }
    } catch (cause) {
      throw payloadInvalid(
        event,
        [{ path: '', message: `upcaster failed: ${messageOf(cause)}` }],
        cause,
      );
    }
    return { ...event, data, version: definition.version };
  }
}

const nothingFound: PayloadCheck = Object.freeze({ missing: [], invalid: [] });

/** What a schema finds in data: at once, unless the schema itself has to wait for something. */
export function checkPayload(
  schema: StandardSchemaV1,
  data: unknown,
): PayloadCheck | Promise<PayloadCheck> {
  const found = ({ issues }: StandardSchemaV1.Result<unknown>): PayloadCheck =>
    issues ? splitIssues(data, issues) : nothingFound;
  const result = schema['~standard'].validate(data);
  return result instanceof Promise ? result.then(found) : found(result);
}

/**
 * Holds data against a schema.
 *
 * @returns The schema's output.
 * @throws {EventError} `PAYLOAD_INVALID` with one issue per violation.
 */
export async function parsePayload(
  schema: StandardSchemaV1,
  event: Pick<EventEnvelope, 'type' | 'id' | 'data'>,
): Promise<unknown> {
  return readPayload(await schema['~standard'].validate(event.data), event);
}

/** The output of a schema. @throws {EventError} `PAYLOAD_INVALID` with one issue per violation. */
export function readPayload(
  result: StandardSchemaV1.Result<unknown>,
  event: Pick<EventEnvelope, 'type' | 'id' | 'data'>,
): unknown {
  if (!result.issues) return result.value;
  const { missing, invalid } = splitIssues(event.data, result.issues);
  throw payloadInvalid(event, [...invalid, ...missing]);
}

/** The error for data that breaks its schema; the message shows the first three issues. */
export function payloadInvalid(
  event: Pick<EventEnvelope, 'type' | 'id'>,
  issues: readonly PayloadIssue[],
  cause?: unknown,
): EventError<'PAYLOAD_INVALID'> {
  const shown = issues
    .slice(0, 3)
    .map((issue) => `data${issue.path && `.${issue.path}`}: ${issue.message}`);
  const more = issues.length > 3 ? ` and ${issues.length - 3} more` : '';
  return new EventError(
    'PAYLOAD_INVALID',
    `${event.type} ${event.id}: ${shown.join('; ')}${more}`,
    { eventType: event.type, eventId: event.id, issues },
    cause === undefined ? {} : { cause },
  );
}

function splitIssues(
  data: unknown,
  issues: readonly StandardSchemaV1.Issue[] | undefined,
): PayloadCheck {
  const missing: PayloadIssue[] = [];
  const invalid: PayloadIssue[] = [];
  for (const issue of issues ?? []) {
    const path = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
    const target = isMissing(data, path) ? missing : invalid;
    target.push({ path: path.map(String).join('.'), message: issue.message });
  }
  return { missing, invalid };
}

/** A key of an object that is there, itself not there or undefined. */
function isMissing(data: unknown, path: readonly PropertyKey[]): boolean {
  if (path.length === 0) return false;
  let value = data;
  for (const [index, part] of path.entries()) {
    if (typeof value !== 'object' || value === null) return false;
    const present = Object.hasOwn(value, part);
    value = present ? (value as Record<PropertyKey, unknown>)[part] : undefined;
    if (value === undefined) return index === path.length - 1;
  }
  return false;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
