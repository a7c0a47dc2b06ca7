import type { SqlClient } from '@quickwms/events';
import { afterAll, beforeAll, describe } from 'vitest';

import { describeGroups } from './cases/groups.ts';
import { describeNames } from './cases/names.ts';
import { openTemporary } from './support/open-bench.ts';

describe('over embedded PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof openTemporary>> | undefined;
  const client = (): SqlClient => database!.client;
  beforeAll(async () => {
    database = await openTemporary();
  }, 120_000);
  afterAll(() => database?.close());

  describeNames(client);
  describeGroups(client);
});
