import { expect, it } from 'vitest';

import { MemoryDatabase } from './memory-database.ts';
import { MemoryOutbox } from './memory-outbox.ts';

it('takes back what a handler keeps in memory, the last write first', async () => {
  const database = new MemoryDatabase();
  const stock = new Map([
    ['kept', 1],
    ['changed', 1],
    ['removed', 1],
  ]);
  const log = ['before'];
  const running = database.run(async (tx) => {
    tx.set(stock, 'changed', 2);
    tx.set(stock, 'changed', 3);
    tx.set(stock, 'added', 1);
    tx.delete(stock, 'removed');
    tx.delete(stock, 'never there');
    tx.push(log, 'during');
    throw new Error('no');
  });
  await expect(running).rejects.toThrow('no');
  expect(Object.fromEntries(stock)).toEqual({ kept: 1, changed: 1, removed: 1 });
  expect(log).toEqual(['before']);
});

it('shows what is told to wait for the commit only then, and never after a rollback', async () => {
  const database = new MemoryDatabase();
  const shown: string[] = [];
  await database.run(async (tx) => {
    tx.onCommit(() => shown.push('committed'));
    expect(shown).toEqual([]);
  });
  await database
    .run(async (tx) => {
      tx.onCommit(() => shown.push('rolled back'));
      throw new Error('no');
    })
    .catch(() => undefined);
  expect(shown).toEqual(['committed']);
});

it('begins one transaction after the other, in the order in which they were asked for', async () => {
  const database = new MemoryDatabase();
  const order: string[] = [];
  const run = (name: string) =>
    database.run(async () => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} ends`);
    });
  await Promise.all([run('first'), run('second')]);
  expect(order).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
});

it('refuses a transaction inside a transaction, and allows it once the outer one has ended', async () => {
  const database = new MemoryDatabase();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let later: Promise<string> | undefined;
  await database.run(async () => {
    await expect(database.run(async () => 'inner')).rejects.toThrow('TX_SELF_WAIT');
    later = ended.then(() => database.run(async () => 'afterwards'));
  });
  end();
  await expect(later).resolves.toBe('afterwards');
});

it('refuses the transaction of another database', async () => {
  const outbox = new MemoryOutbox(new MemoryDatabase());
  const message = { id: '1', type: 'order.placed', key: 'k', contentType: 'text/plain', body: '' };
  await new MemoryDatabase().run(async (tx) => {
    await expect(outbox.add([message], { tx, destination: 'orders' })).rejects.toThrow(
      'TX_FOREIGN',
    );
  });
});

it('gives its turn up when it was aborted while it waited', async () => {
  const database = new MemoryDatabase();
  const { promise: open, resolve: release } = Promise.withResolvers<void>();
  const first = database.run(() => open);
  const controller = new AbortController();
  const second = database.run(async () => 'second', { signal: controller.signal });
  const third = database.run(async () => 'third');
  controller.abort();
  release();
  await first;
  await expect(second).rejects.toThrow('TX_FINISHED');
  await expect(third).resolves.toBe('third');
});
