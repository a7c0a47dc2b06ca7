import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PublisherBench } from '../../test/publisher-bench.ts';
import { settle } from '../../test/until.ts';
import { plainProfile } from '../event/envelope.ts';
import { EventError } from '../errors.ts';
import { TransportEventBus } from '../bus/event-bus.ts';
import { MemoryOutbox } from '../memory/memory-outbox.ts';
import { MemoryTransport } from '../memory/memory-transport.ts';
import { shareRelay } from './shared-relay.ts';

let bench: PublisherBench;

beforeEach(() => {
  bench = new PublisherBench();
});

afterEach(() => bench.end());

const graded = { type: 'item.graded', data: { grade: 'A' } };

/** Commits a message as a process that does not relay would. */
async function leaveBehind(): Promise<void> {
  await bench.publisher({ relay: false }).publish(graded);
}

describe('the relay of a process', () => {
  it('is one for all publishers of a store and a transport', () => {
    const { clock, outbox, bus } = bench;
    const first = shareRelay(outbox, bus, { clock });
    const second = shareRelay(outbox, bus, { clock });
    const elsewhere = new TransportEventBus({
      serviceName: 'other',
      transport: new MemoryTransport(),
      codec: bus.codec,
      profile: plainProfile,
      consumers: {},
    });
    expect(second.relay).toBe(first.relay);
    expect(shareRelay(outbox, elsewhere, { clock }).relay).not.toBe(first.relay);
    expect(shareRelay(new MemoryOutbox(bench.database), bus, { clock }).relay).not.toBe(
      first.relay,
    );
  });

  it('ends with its last publisher, whoever lets go twice', async () => {
    const one = bench.publisher();
    const two = bench.publisher();
    await one.publish(graded);
    await one.shutdown();
    await one.shutdown();
    await two.publish(graded);
    await settle();
    expect((await bench.arrived()).length).toBe(2);
    await two.shutdown();
    await leaveBehind();
    await settle();
    await bench.clock.advance(10_000);
    expect((await bench.outbox.status()).waiting).toBe(1);
  });

  it('is a new one after the last one ended, and finds what was left', async () => {
    const one = bench.publisher();
    await one.shutdown();
    await leaveBehind();
    await settle();
    expect((await bench.outbox.status()).waiting).toBe(1);
    await bench.publisher().connect();
    await settle();
    expect((await bench.outbox.status()).waiting).toBe(0);
  });

  it('connects the bus by itself, again if that failed, and not after it was closed', async () => {
    const connect = bench.transport.connect.bind(bench.transport);
    let connects = 0;
    bench.transport.connect = () => {
      connects += 1;
      if (connects > 1) return connect();
      return Promise.reject(new EventError('TRANSPORT_UNAVAILABLE', 'away', { transport: 'm' }));
    };
    const publisher = bench.publisher();
    await publisher.publish(graded);
    await settle();
    await bench.clock.advance(1_000);
    expect({ connects, waiting: (await bench.outbox.status()).waiting }).toEqual({
      connects: 2,
      waiting: 0,
    });
    await bench.transport.close();
    await publisher.publish(graded);
    await settle();
    expect(connects).toBe(2);
    expect(bench.seen.of('relay-failed').at(-1)).toMatchObject({
      error: { code: 'NOT_CONNECTED' },
    });
    await connect();
    await bench.clock.advance(1_000);
    expect((await bench.outbox.status()).waiting).toBe(0);
  });
});
