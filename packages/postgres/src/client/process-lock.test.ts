import { systemClock } from '@waybill/core';
import { expect, it } from 'vitest';

import { ProcessLock } from './process-lock.ts';
import type { SqlClient } from './sql-client.ts';

it('refuses by name to be held once it was released', async () => {
  const client = {} as SqlClient;
  const lock = new ProcessLock({ client, clock: systemClock, key: 1n, checkEveryMs: 1_000 });
  await lock.release();
  await expect(lock.hold()).rejects.toMatchObject({ code: 'STOPPING' });
});
