import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PublisherBench } from '../../test/publisher-bench.ts';
import { settle } from '../../test/until.ts';
import { EventError } from '../errors.ts';

let bench: PublisherBench;

beforeEach(() => {
  bench = new PublisherBench();
});

afterEach(() => bench.end());

const away = new EventError('STORE_UNAVAILABLE', 'the server is away', {});
const refused = new EventError('ACCESS_REFUSED', 'wrong password', {
  server: 'test',
  refusal: '28P01',
});

/** Lets the broker, or the database of the outbox, answer with an error. @returns What ends it. */
function failing(what: 'broker' | 'database', error: Error): () => void {
  const { transport, outbox } = bench;
  const { connect } = transport;
  const { waitingPartitions } = outbox;
  if (what === 'broker') transport.connect = () => Promise.reject(error);
  else outbox.waitingPartitions = () => Promise.reject(error);
  return () => {
    transport.connect = connect;
    outbox.waitingPartitions = waitingPartitions;
  };
}

describe('the first connection of a publisher', () => {
  it.each(['broker', 'database'] as const)(
    'waits for a %s that is away, with one warning and a red health',
    async (what) => {
      const end = failing(what, away);
      const publisher = bench.publisher();
      const connected = publisher.connect();
      await settle();
      await bench.clock.advance(60_000);
      expect(publisher.health().reasons.join()).toContain('the server is away');
      expect(bench.seen.of('trouble').length).toBe(1);
      end();
      await bench.clock.advance(2_000);
      await connected;
      expect(publisher.health()).toEqual({ status: 'ok', reasons: [] });
      expect(bench.seen.of('recovered').length).toBe(1);
    },
  );

  it.each(['broker', 'database'] as const)(
    'is refused by name where the %s refuses its user, and may be tried again',
    async (what) => {
      const end = failing(what, refused);
      const publisher = bench.publisher();
      await expect(publisher.connect()).rejects.toBe(refused);
      expect(publisher.health()).toEqual({ status: 'ok', reasons: [] });
      end();
      await expect(publisher.connect()).resolves.toBeUndefined();
    },
  );

  it('does not ask an outbox that another process relays', async () => {
    failing('database', refused);
    await expect(bench.publisher({ relay: false }).connect()).resolves.toBeUndefined();
  });

  it('is given up by a shutdown', async () => {
    failing('broker', away);
    const publisher = bench.publisher();
    const connected = publisher.connect().catch((error: unknown) => error);
    await settle();
    await publisher.shutdown();
    expect(await connected).toMatchObject({ code: 'STOPPING' });
  });
});
