import { afterEach, beforeEach, expect, it } from 'vitest';

import { EngineBench } from '../../test/engine-bench.ts';
import type { WarningCode } from '../observer.ts';

let bench: EngineBench;

beforeEach(() => {
  bench = new EngineBench();
});

afterEach(() => bench.end());

async function started({ inbox = true, concurrency = 50, silence = [] as WarningCode[] }) {
  const transactions = Object.assign(bench.database, {
    capacity: () => ({ atOnce: 2, toServe: (wanted: number) => `max: ${wanted + 5}` }),
  });
  const group = bench.group({ transactions, concurrency, silence });
  group.on(['item.*'], () => {}, { inbox });
  await group.start();
  const codes = bench.seen.of('warning').map(({ code }) => code);
  return { group, codes: codes.filter((code) => code === 'POOL_TOO_SMALL') };
}

it('names a pool that is too small at the start, with the number to set, until the concurrency fits', async () => {
  const { group, codes } = await started({});
  expect(codes).toHaveLength(1);
  expect(group.health().reasons.join()).toMatch(
    /up to 50 .* serves 2: .* Say max: 55, or a concurrency of 2/,
  );
  group.setConcurrency(2);
  expect(group.health().status).toBe('ok');
});

it.each([{ inbox: false }, { concurrency: 2 }, { silence: ['POOL_TOO_SMALL' as const] }])(
  'says nothing where that is no matter, or is meant: %o',
  async (said) => {
    const { group, codes } = await started(said);
    expect([codes, group.health().status]).toEqual([[], 'ok']);
  },
);
