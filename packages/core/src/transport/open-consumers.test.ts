import { describe, expect, it } from 'vitest';

import { OpenConsumers } from './open-consumers.ts';
import type { Consumer } from './transport.ts';

/** A consumer that notes its close, which may fail. */
function consumer(closed: string[], name: string, failure?: Error): Consumer {
  return {
    pause() {},
    resume() {},
    setMaxInFlight() {},
    async close() {
      closed.push(name);
      if (failure) throw failure;
    },
    finished: Promise.resolve(),
  };
}

describe('the consumers of a transport', () => {
  it('close together, and the first failure is told when all have ended', async () => {
    const consumers = new OpenConsumers();
    const closed: string[] = [];
    await consumers.open(async () => consumer(closed, 'one', new Error('not told')));
    await consumers.open(async () => consumer(closed, 'two'));
    await expect(consumers.close()).rejects.toThrow('not told');
    expect(closed).toEqual(['one', 'two']);
  });

  it('close although their opening was under way', async () => {
    const consumers = new OpenConsumers();
    const closed: string[] = [];
    const { promise, resolve } = Promise.withResolvers<Consumer>();
    const opening = consumers.open(() => promise);
    const closing = consumers.close();
    resolve(consumer(closed, 'late'));
    await opening;
    await closing;
    expect(closed).toEqual(['late']);
  });

  it('are forgotten when they have closed by themselves, or could not be opened', async () => {
    const consumers = new OpenConsumers();
    const closed: string[] = [];
    const refused = consumers.open(() => Promise.reject(new Error('refused')));
    await expect(refused).rejects.toThrow('refused');
    let onClose!: () => void;
    await consumers.open(async (forget) => {
      onClose = forget;
      return consumer(closed, 'gone');
    });
    expect(await consumers.all()).toHaveLength(1);
    onClose();
    expect(await consumers.all()).toEqual([]);
    await consumers.close();
    expect(closed).toEqual([]);
  });
});
