import { describe, expect, it } from 'vitest';
import { handOver } from './vitest-setup.ts';

const urls = { POSTGRES_URL: 'started://' };
const missing = [{ name: 'PostgreSQL 15', variable: 'POSTGRES_15_URL', reason: 'refused' }];

describe('handing servers over to the tests', () => {
  it('hides the URL of a server that does not answer, so that its suites are skipped', () => {
    const environment = { POSTGRES_15_URL: 'dead://' };

    handOver({ urls, missing }, environment);

    expect(environment).toEqual({ ...urls, MISSING_SERVICES: JSON.stringify(missing) });
  });

  it('fails the run with the reason if CI=true and one is missing', () => {
    expect(() => handOver({ urls, missing }, { CI: 'true' })).toThrow('PostgreSQL 15: refused');
    expect(() => handOver({ urls, missing: [] }, { CI: 'true' })).not.toThrow();
  });
});
