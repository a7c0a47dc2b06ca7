import fc from 'fast-check';
import { expect, it } from 'vitest';

it('properties have one seed in CI and a new one in each run elsewhere', () => {
  const expected = process.env.CI === 'true' ? 20_261_123 : undefined;

  expect(fc.readConfigureGlobal()?.seed).toBe(expected);
});
