import type { StandardSchemaV1 } from '@standard-schema/spec';

import { readPayload } from '../../event/catalogue.ts';
import type { Policy, Registration } from './step.ts';

/**
 * Holds `data` against the schema that the handler asked for and hands on the schema's output.
 *
 * What does not fit is no matter for a retry: `PAYLOAD_INVALID` goes to the dead letters at once.
 */
export const validate: Policy = (next) => (event, invocation) => {
  const schema = schemaFor(event.type, invocation.registration);
  if (!schema) return next(event, invocation);
  const pass = (result: StandardSchemaV1.Result<unknown>): Promise<void> =>
    next({ ...event, data: readPayload(result, event) }, invocation);
  // Most schemas need no waiting, and every wait of every event counts.
  const result = schema['~standard'].validate(event.data);
  return result instanceof Promise ? result.then(pass) : pass(result);
};

function schemaFor(eventType: string, { schema }: Registration): StandardSchemaV1 | undefined {
  if (!schema || '~standard' in schema) return schema;
  return schema.get(eventType)?.schema;
}
