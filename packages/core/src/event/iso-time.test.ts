import fc from 'fast-check';
import { expect, it } from 'vitest';

import { isoTime } from './iso-time.ts';

it('writes each time as Date does, whatever it wrote before', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3)), (steps) => {
      for (const ms of steps) expect(isoTime(ms)).toBe(new Date(ms).toISOString());
    }),
  );
});
