import type { StandardSchemaV1 } from '@standard-schema/spec';

/** A schema from a function that returns the output, or a list of what is wrong. */
export function schemaOf<Output = unknown>(
  check: (data: unknown) => Output | StandardSchemaV1.Issue[],
): StandardSchemaV1<unknown, Output> {
  return {
    '~standard': {
      version: 1,
      vendor: 'tests',
      validate(data) {
        const outcome = check(data);
        return Array.isArray(outcome) ? { issues: outcome } : { value: outcome as Output };
      },
    },
  };
}
