import { parsePayload } from '../catalogue.ts';
import type { Policy } from './step.ts';

/**
 * Holds `data` against the handler's own schema and hands on the schema's output.
 *
 * What does not fit is no matter for a retry: `PAYLOAD_INVALID` goes to the dead letters at once.
 */
export const validate: Policy = (next) => async (event, invocation) => {
  const { schema } = invocation.registration;
  if (!schema) return next(event, invocation);
  return next({ ...event, data: await parsePayload(schema, event) }, invocation);
};
