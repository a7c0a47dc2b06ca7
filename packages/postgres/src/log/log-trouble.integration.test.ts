import { startFaultProxy, type FaultProxy } from '@waybill/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createTestDatabase, hasPostgres } from '../../../../scripts/services/test-database.ts';
import type { TestDatabase } from '../../../../scripts/services/test-database.ts';
import { connectLog, LogProbe, message, waiting } from '../../test/log-bench.ts';
import { openPostgres } from '../client/pg-client.ts';
import type { SqlClient } from '../client/sql-client.ts';
import { migrate } from '../migrate/migrate.ts';
import type { PostgresLogTransport } from './log-transport.ts';

/** Within this time a consumer says that its server is away. */
const toldWithin = { ...waiting, timeout: 10_000 };

describe.skipIf(!hasPostgres())('a consumer of the log whose server is away', () => {
  let database: TestDatabase;
  let proxy: FaultProxy;
  let client: SqlClient;
  let transport: PostgresLogTransport;
  beforeEach(async () => {
    database = await createTestDatabase({ major: 18 });
    const url = new URL(database.url);
    proxy = await startFaultProxy({ to: { host: url.hostname, port: Number(url.port) } });
    url.host = `${proxy.host}:${proxy.port}`;
    client = openPostgres({ connectionString: url.href });
    await migrate(client);
    ({ transport } = await connectLog({ client }));
  });
  afterEach(async () => {
    await proxy.switchTo({ kind: 'pass' });
    await transport.close();
    await client.close();
    await proxy.stop();
    await database.drop();
  });

  it.each([
    ['gives no answer any more', 'black-hole'],
    ['resets connections', 'reset'],
  ] as const)('says so and goes on when it %s', async (_, kind) => {
    const probes = {
      active: await LogProbe.subscribe(transport, 'billing', { settle: true }),
      standby: await LogProbe.subscribe(transport, 'billing', { settle: true }),
      full: await LogProbe.subscribe(transport, 'full', { maxInFlight: 1 }),
      paused: await LogProbe.subscribe(transport, 'paused'),
      listener: await LogProbe.subscribe(transport, null, { settle: true }),
    };
    const inTrouble = async (expected: boolean): Promise<void> => {
      for (const { troubles } of Object.values(probes)) {
        await vi.waitFor(
          () => expect(troubles.at(-1) !== undefined).toBe(expected),
          expected ? toldWithin : waiting,
        );
      }
    };
    await transport.publish([message(), message()]);
    await Promise.all([probes.active.received(2), probes.full.received(1)]);
    probes.paused.consumer.pause();

    await proxy.switchTo({ kind });
    await inTrouble(true);
    await proxy.switchTo({ kind: 'pass' });
    await inTrouble(false);
    const sent = message();
    await vi.waitFor(async () => {
      const outcomes = await transport.publish([sent]);
      expect(outcomes).toMatchObject([{ status: 'accepted' }]);
    }, waiting);
    const { active, standby, listener } = probes;
    await vi.waitFor(() => {
      expect([...active.ids, ...standby.ids]).toContain(sent.id);
      expect(listener.ids).toContain(sent.id);
    }, waiting);
  });

  it('does not wait for ever when it closes and the server gives no answer', async () => {
    const probes = [
      await LogProbe.subscribe(transport, 'billing', { settle: true }),
      await LogProbe.subscribe(transport, 'billing', { settle: true }),
      await LogProbe.subscribe(transport, null, { settle: true }),
    ];
    await transport.publish([message()]);
    await probes[0]!.received(1);
    await proxy.switchTo({ kind: 'black-hole' });
    let ended = false;
    const end = (): void => void (ended = true);
    transport.close().then(end, end);
    await vi.waitFor(() => expect(ended).toBe(true), { ...waiting, timeout: 12_000 });
    await proxy.switchTo({ kind: 'pass' });
    const again = await connectLog({ client });
    transport = again.transport;
    const next = await LogProbe.subscribe(transport, 'billing', { settle: true });
    const sent = message();
    await transport.publish([sent]);
    await vi.waitFor(() => expect(next.ids).toContain(sent.id), waiting);
  });
});
