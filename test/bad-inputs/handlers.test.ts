// Inputs 65 to 72: handlers that misbehave.

import { afterAll, beforeAll, expect, it, vi } from 'vitest';

import { describeHandlers } from './cases/handlers.ts';
import { embeddedDock, memoryDock } from './support/dock.ts';
import { openTemporary } from './support/open-bench.ts';

let database: Awaited<ReturnType<typeof openTemporary>> | undefined;
beforeAll(async () => {
  database = await openTemporary();
}, 120_000);
afterAll(() => database?.close());

it('61 refuses a limit that a transaction does not know, and one that the server does not take', async () => {
  const { client } = database!;
  const refused = [{ timeoutMs: 5 }, { statementTimeoutMs: 0 }, { idleTimeoutMs: 2 ** 31 }];
  for (const limits of refused) {
    const work = vi.fn<() => Promise<void>>();
    await expect(client.run(work, limits)).rejects.toThrow(TypeError);
    expect(work).not.toHaveBeenCalled();
  }
  await expect(client.run(async () => 'still there')).resolves.toBe('still there');
});

describeHandlers('memory', async () => memoryDock());
describeHandlers('embedded PostgreSQL', () => embeddedDock(database!.client, 150));
