import type { StandardSchemaV1 } from '@standard-schema/spec';

import { readPayload } from '../../event/catalogue.ts';
import type { EventEnvelope } from '../../event/envelope.ts';
import type { WarningCode } from '../../observer.ts';
import type { Warnings } from '../../warnings.ts';
import type { Invocation, Policy, Registration, Step } from './step.ts';

/**
 * Holds `data` against the schema that the handler asked for and hands on the schema's output.
 *
 * What does not fit is no matter for a retry: `PAYLOAD_INVALID` goes to the dead letters at once. A type that a
 * catalogue does not have is let through, with a warning.
 */
export function validate({
  warnings,
  silence,
}: {
  readonly warnings: Warnings;
  /** What the handler means to be so. */
  readonly silence: readonly WarningCode[];
}): Policy {
  const isMeant = silence.includes('TYPE_NOT_IN_CATALOGUE');
  return (next) => (event, invocation) => {
    const { registration } = invocation;
    const schema = schemaFor(event.type, registration);
    if (schema) return hold(schema, next, event, invocation);
    if (registration.schema && !isMeant) warnAboutUnchecked(event, registration, warnings);
    return next(event, invocation);
  };
}

function hold(
  schema: StandardSchemaV1,
  next: Step,
  event: EventEnvelope,
  invocation: Invocation,
): Promise<void> {
  const pass = (result: StandardSchemaV1.Result<unknown>): Promise<void> =>
    next({ ...event, data: readPayload(result, event) }, invocation);
  // Most schemas need no waiting, and every wait of every event counts.
  const result = schema['~standard'].validate(event.data);
  return result instanceof Promise ? result.then(pass) : pass(result);
}

function schemaFor(eventType: string, { schema }: Registration): StandardSchemaV1 | undefined {
  if (!schema || '~standard' in schema) return schema;
  return schema.get(eventType)?.schema;
}

/** A wildcard lets in what a catalogue does not have: that is new elsewhere, or was never agreed. */
function warnAboutUnchecked(
  { type }: EventEnvelope,
  { name }: Registration,
  warnings: Warnings,
): void {
  warnings.once(
    'TYPE_NOT_IN_CATALOGUE',
    `${name} ${type}`,
    `handler ${name} gets ${type}, which is not in the catalogue, so nobody can check it; define it with defineEvent`,
  );
}
