import { beforeEach, describe, expect, it } from 'vitest';

import { PublisherBench } from '../../test/publisher-bench.ts';
import { runInScope } from '../handler-scope.ts';
import { MemoryDatabase } from '../memory/memory-database.ts';

const graded = { type: 'item.graded', data: { grade: 'A' }, subject: 'item-1' };
const rolledBack = new Error('rolled back on purpose');

let bench: PublisherBench;

beforeEach(() => {
  bench = new PublisherBench();
});

const idsStored = async (): Promise<string[]> => (await bench.stored()).map(({ id }) => id);

describe('publishing in the work of a transaction', () => {
  it('commits with it, and is relayed after the commit', async () => {
    const publisher = bench.publisher();
    const nudged: string[] = [];
    publisher.relay!.nudge = () => void nudged.push('nudged');
    await bench.database.run(async () => {
      await publisher.publish({ ...graded, id: 'e1' });
      expect(nudged).toEqual([]);
    });
    expect(await idsStored()).toEqual(['e1']);
    expect(nudged).toEqual(['nudged']);
  });

  it('is rolled back with it', async () => {
    const publisher = bench.publisher();
    const work = async (): Promise<never> => {
      await publisher.publishBatch([graded, graded]);
      throw rolledBack;
    };
    await expect(bench.database.run(work)).rejects.toBe(rolledBack);
    expect(await idsStored()).toEqual([]);
  });

  it('is waited for although it was not awaited', async () => {
    const publisher = bench.publisher();
    await bench.database.run(async () => void publisher.publish({ ...graded, id: 'e1' }));
    expect(await idsStored()).toEqual(['e1']);
  });

  it('follows from the event of the handler that the transaction is run in', async () => {
    const publisher = bench.publisher();
    const event = { id: 'cause', correlationId: 'journey' };
    const scope = { event, tx: undefined, afterCommit: (run: () => void) => run() };
    await runInScope(scope, () => bench.database.run(() => publisher.publish(graded)));
    expect(await bench.stored()).toMatchObject([
      { causationId: 'cause', correlationId: 'journey' },
    ]);
  });

  it('does not join a transaction of another database, and warns once of that', async () => {
    const publisher = bench.publisher();
    const elsewhere = new MemoryDatabase();
    for (const id of ['e1', 'e2']) {
      const work = async (): Promise<never> => {
        await publisher.publish({ ...graded, id });
        throw rolledBack;
      };
      await expect(elsewhere.run(work)).rejects.toBe(rolledBack);
    }
    expect(await idsStored()).toEqual(['e1', 'e2']);
    const warned = bench.seen.of('warning').filter(({ code }) => code === 'TX_ELSEWHERE');
    expect(warned).toHaveLength(1);
  });
});
