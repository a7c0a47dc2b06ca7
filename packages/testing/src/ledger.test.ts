import { once } from 'node:events';
import { createConnection } from 'node:net';
import { describe, expect, it } from 'vitest';

import { LedgerClient } from './ledger-client.ts';
import { startLedger } from './ledger.ts';
import { spawnWorker } from './spawn-worker.ts';

const reporter = new URL('../test/workers/reporter.ts', import.meta.url);

describe('a ledger', () => {
  it('keeps what it was told, in order, with one clock for all', async () => {
    await using ledger = await startLedger();
    const client = await LedgerClient.connect(ledger.url);

    expect(await client.report({ kind: 'published', eventId: 'a', key: 'k', keySequence: 1 })).toBe(
      1,
    );
    expect(await client.report({ kind: 'handled', eventId: 'a', group: 'g', attempt: 2 })).toBe(2);

    const [first, second] = await ledger.entries();
    expect(first).toMatchObject({ sequence: 1, kind: 'published', eventId: 'a', keySequence: 1 });
    expect(second).toMatchObject({ sequence: 2, kind: 'handled', group: 'g', attempt: 2 });
    expect(second!.timeMs).toBeGreaterThan(first!.timeMs);
    client.close();
  });

  it('takes many reports at once from several processes', async () => {
    await using ledger = await startLedger();
    const clients = await Promise.all([1, 2, 3].map(() => LedgerClient.connect(ledger.url)));

    const places = await Promise.all(
      clients.flatMap((client, index) =>
        Array.from({ length: 100 }, (_, number) =>
          client.report({ kind: 'handled', eventId: `${index}-${number}` }),
        ),
      ),
    );

    expect(new Set(places).size).toBe(300);
    const entries = await ledger.entries();
    expect(entries.map(({ sequence }) => sequence)).toEqual(Array.from(entries, (_, at) => at + 1));
    for (const client of clients) client.close();
  });

  it('has everything that a killed process was told is kept', async () => {
    await using ledger = await startLedger();
    await using killed = spawnWorker(reporter, { url: ledger.url, name: 'killed' });
    await using survivor = spawnWorker(reporter, { url: ledger.url, name: 'survivor' });
    const confirmed: string[] = [];
    for (let number = 0; number < 20; number += 1) {
      confirmed.push((await killed.message<{ eventId: string }>('confirmed')).eventId);
    }

    await killed.kill();
    confirmed.push((await survivor.message<{ eventId: string }>('confirmed')).eventId);

    const kept = (await ledger.entries()).map(({ eventId }) => eventId);
    expect(kept).toEqual(expect.arrayContaining(confirmed));
  });

  it('leaves out what a process did not live to finish', async () => {
    await using ledger = await startLedger();
    const { hostname, port } = new URL(ledger.url);
    const torn = createConnection({ host: hostname, port: Number(port) });
    torn.end('{"kind":"handled","eve');
    torn.resume();
    await once(torn, 'close');

    const client = await LedgerClient.connect(ledger.url);
    await client.report({ kind: 'handled', eventId: 'whole' });

    expect((await ledger.entries()).map(({ eventId }) => eventId)).toEqual(['whole']);
    client.close();
  });

  it('refuses reports once it is gone', async () => {
    const ledger = await startLedger();
    const client = await LedgerClient.connect(ledger.url);
    await client.report({ kind: 'handled', eventId: 'a' });

    await ledger.stop();

    await expect(
      (async () => {
        for (;;) await client.report({ kind: 'handled', eventId: 'b' });
      })(),
    ).rejects.toThrow(/ledger has ended|ECONNRESET|EPIPE/);
    await expect(LedgerClient.connect(ledger.url)).rejects.toThrow('ECONNREFUSED');
  });
});
