import { afterEach, beforeEach, expect, it } from 'vitest';

import { PublisherBench } from '../../test/publisher-bench.ts';
import { MemoryDatabase } from '../memory/memory-database.ts';
import { sameDatabase } from '../same-database.ts';

let bench: PublisherBench;

beforeEach(() => {
  bench = new PublisherBench();
});

afterEach(() => bench.end());

it('a publisher says which database its store is on, so that others can be held to it', async () => {
  const { database } = bench.publisher();
  expect(database!.transactions).toBe(bench.database);
  expect(await sameDatabase(database!.transactions, new MemoryDatabase())).toBe('different');
});

it('a publisher without a store is on no database', () => {
  expect(bench.publisher({ store: undefined }).database).toBeUndefined();
});
