import type { StandardSchemaV1 } from '@standard-schema/spec';

import { EventError, type PayloadIssue } from '../errors.ts';
import type { EventEnvelope } from './envelope.ts';
import type { EventDefinition, EventPatternDefinition } from './event-definition.ts';
import { nearestType } from './nearest-type.ts';
import { compareSpecificity, compilePattern, patternsMeet, type TypeMatcher } from './patterns.ts';

/** What a check of `data` found. Missing keys are told apart because a publisher may allow them. */
export interface PayloadCheck {
  readonly missing: readonly PayloadIssue[];
  readonly invalid: readonly PayloadIssue[];
}

/** A definition in a catalogue: of one type, or of all that match a pattern. */
export type CatalogueEntry = EventDefinition | EventPatternDefinition;

/** All types that a product knows, one by one or by pattern. */
export class Catalogue {
  /** By type, or by pattern: a type has no `*`, so that the two never meet. */
  readonly #entries: ReadonlyMap<string, CatalogueEntry>;
  /** The most specific one first. */
  readonly #patterns: readonly { matches: TypeMatcher; definition: EventPatternDefinition }[];

  /** @throws {TypeError} If a type or a pattern is defined twice, or a pattern is malformed. */
  constructor(
    definitions:
      | readonly (EventDefinition<string, never> | EventPatternDefinition<never>)[]
      | readonly CatalogueEntry[],
  ) {
    const entries = new Map<string, CatalogueEntry>();
    for (const entry of definitions as readonly CatalogueEntry[]) {
      const name = nameOf(entry);
      if (entries.has(name)) throw new TypeError(`event type ${name} is defined twice`);
      entries.set(name, entry);
    }
    this.#entries = entries;
    this.#patterns = [...entries.values()]
      .filter((entry) => 'pattern' in entry)
      .sort((a, b) => compareSpecificity(a.pattern, b.pattern))
      .map((definition) => ({ matches: compilePattern(definition.pattern), definition }));
  }

  /** The definition of a type itself, else that of the most specific pattern that it matches. */
  get(eventType: string): CatalogueEntry | undefined {
    const exact = this.#entries.get(eventType);
    if (exact && 'type' in exact) return exact;
    return this.#patterns.find(({ matches }) => matches(eventType))?.definition;
  }

  /** All definitions, ordered by the type or the pattern that each is about. */
  list(): CatalogueEntry[] {
    return [...this.#entries.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  }

  /** Says whether a type that a pattern asks for is, or can be, defined: by itself or by a pattern. */
  describes(pattern: string): boolean {
    return [...this.#entries.keys()].some((name) => patternsMeet(name, pattern));
  }

  /** The defined type, or the pattern of some, that is spelt nearly like one that is not; `undefined` if none is. */
  nearest(pattern: string): string | undefined {
    return nearestType(pattern, [...this.#entries.keys()]);
  }

  /**
   * Holds data against the schema of its type, current version.
   *
   * @returns What is missing and what is wrong; nothing of either for a type that is not defined.
   */
  async check(eventType: string, data: unknown): Promise<PayloadCheck> {
    const definition = this.get(eventType);
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
    const definition = this.get(event.type);
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

function nameOf(entry: CatalogueEntry): string {
  return 'pattern' in entry ? entry.pattern : entry.type;
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
