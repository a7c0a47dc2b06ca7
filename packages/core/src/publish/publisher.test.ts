import { idleTimers } from '../../test/engine-bench.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PublisherBench } from '../../test/publisher-bench.ts';
import { settle, until } from '../../test/until.ts';
import { EventError } from '../errors.ts';
import type { EventSender } from './event-sender.ts';
import { JsonCodec } from '../event/cloudevents/json-codec.ts';

let bench: PublisherBench;

beforeEach(() => {
  bench = new PublisherBench();
});

afterEach(() => bench.end());

const graded = { type: 'item.graded', data: { grade: 'A' } };
const away = new EventError('STORE_UNAVAILABLE', 'away', {});

describe('publishing', () => {
  it('fills in what a draft leaves out, and keeps what it says', async () => {
    const publisher = bench.publisher();
    await expect(publisher.publish({ ...graded, subject: undefined })).resolves.toEqual({
      id: 'id-1',
      source: 'tests',
      specversion: '1.0',
      type: 'item.graded',
      datacontenttype: 'application/json',
      time: '2026-01-01T00:00:00.000Z',
      version: 1,
      correlationId: 'id-1',
      data: { grade: 'A' },
    });
    const said = {
      id: 'mine',
      source: 'elsewhere',
      time: '2025-05-05T05:05:05.000Z',
      version: 3,
      correlationId: 'c',
      causationId: 'd',
      subject: 'item-1',
      userId: 'ann',
    };
    await expect(publisher.publish({ ...graded, ...said })).resolves.toMatchObject(said);
  });

  it('refuses an event whose ordering key cannot be told, by name, and publishes the others', async () => {
    const codec = new JsonCodec({
      profile: {
        name: 'shelves',
        attributes: [],
        keyOf: ({ data }) => (data as { shelf: { id: string } }).shelf.id,
      },
    });
    const { transport } = bench;
    const { name, destination, mark } = transport;
    const bus: EventSender = {
      transport: { name, destination, mark: mark.bind(transport) },
      codec,
      connect: () => transport.connect(),
      publishEncoded: (encoded) => transport.publish(encoded.map(({ message }) => message)),
      publishMessages: (messages, options) => transport.publish(messages, options),
    };
    const publisher = bench.publisher({ bus });
    await expect(publisher.publish(graded)).rejects.toMatchObject({
      code: 'PROFILE_FAILED',
      details: { profile: 'shelves', part: 'keyOf', eventType: 'item.graded' },
    });
    const shelved = { ...graded, data: { shelf: { id: 's-1' } } };
    await expect(publisher.publishBatch<unknown>([graded, shelved])).rejects.toMatchObject({
      code: 'BATCH_INCOMPLETE',
      details: { outcomes: [{ error: { code: 'PROFILE_FAILED' } }, { status: 'published' }] },
    });
    expect((await bench.stored()).map(({ data }) => data)).toEqual([shelved.data]);
    expect(bench.seen.of('publish-failed').length).toBe(2);
  });

  it('with a store, commits first; the relay brings it to the transport', async () => {
    await bench.publisher().publish(graded);
    expect((await bench.stored()).map(({ id }) => id)).toEqual(['id-1']);
    await until(async () => (await bench.outbox.status()).waiting === 0, 'the relay has it');
    expect(await bench.arrived()).toEqual(await bench.stored());
    expect(bench.seen.of('published')).toMatchObject([{ eventId: 'id-1', stored: true }]);
  });

  it('without a store, goes to the bus at once, connecting it by itself', async () => {
    await bench.publisher({ store: undefined }).publish(graded);
    expect((await bench.arrived()).map(({ id }) => id)).toEqual(['id-1']);
    expect(bench.seen.of('published')).toMatchObject([{ eventId: 'id-1', stored: false }]);
  });

  it('does not need the broker while there is a store', async () => {
    const refused = new EventError('TRANSPORT_UNAVAILABLE', 'away', { transport: 'memory' });
    const connect = bench.transport.connect.bind(bench.transport);
    bench.transport.connect = () => Promise.reject(refused);
    await bench.publisher().publish(graded);
    await settle();
    expect(bench.seen.of('relay-failed').length).toBe(1);
    bench.transport.connect = connect;
    await bench.clock.advance(1_000);
    expect((await bench.arrived()).length).toBe(1);
  });

  it('says which event could not be published, and why', async () => {
    bench.database.run = () => Promise.reject(away);
    await expect(bench.publisher().publish(graded)).rejects.toBe(away);
    expect(bench.seen.of('publish-failed')).toMatchObject([
      { kind: 'publish-failed', eventType: 'item.graded', error: away },
    ]);
  });

  it('keeps the data as it was when publish was called', async () => {
    const publisher = bench.publisher();
    const data = { grade: 'A' };
    const published: Promise<unknown>[] = [];
    for (const grade of ['A', 'B', 'C']) {
      data.grade = grade;
      published.push(publisher.publish({ type: 'item.graded', subject: 'item-1', data }));
    }
    data.grade = 'spoilt';
    await Promise.all(published);
    await until(async () => (await bench.outbox.status()).waiting === 0, 'all are relayed');
    for (const events of [await bench.stored(), await bench.arrived()]) {
      expect(events.map((event) => event.data)).toEqual(
        ['A', 'B', 'C'].map((grade) => ({ grade })),
      );
    }
  });

  it('keeps the order of one caller per key, across single events and batches', async () => {
    const publisher = bench.publisher();
    const draft = (number: number) => ({ type: 'item.graded', subject: 'a', data: { number } });
    await publisher.publish(draft(0));
    await publisher.publishBatch([draft(1), draft(2)]);
    await Promise.all([3, 4, 5].map((number) => publisher.publish(draft(number))));
    await until(async () => (await bench.outbox.status()).waiting === 0, 'all are relayed');
    const numbers = (await bench.arrived()).map(({ data }) => (data as { number: number }).number);
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('groups what is published at the same time into few transactions', async () => {
    const publisher = bench.publisher();
    const run = bench.database.run.bind(bench.database);
    let transactions = 0;
    bench.database.run = (...args) => {
      transactions += 1;
      return run(...args);
    };
    const drafts = Array.from({ length: 300 }, (_, index) => ({ ...graded, subject: `${index}` }));
    await Promise.all(drafts.map((draft) => publisher.publish(draft)));
    expect(transactions).toBeLessThan(10);
    expect((await bench.stored()).length).toBe(300);
  });

  it('lets one bad event fail alone among those published at the same time', async () => {
    const publisher = bench.publisher();
    await publisher.publish({ ...graded, id: 'taken' });
    const drafts = ['a', 'b', 'taken', 'c', 'd'].map((id) => ({ ...graded, id, data: { id } }));
    const results = await Promise.allSettled(drafts.map((draft) => publisher.publish(draft)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect((results[2] as PromiseRejectedResult).reason).toMatchObject({
      code: 'EVENT_ID_CONFLICT',
    });
    expect((await bench.stored()).map(({ id }) => id)).toEqual(['taken', 'a', 'b', 'c', 'd']);
  });

  it('may be repeated with the same id, and is stored once', async () => {
    const publisher = bench.publisher();
    await publisher.publish({ ...graded, id: 'e1' });
    await publisher.publish({ ...graded, id: 'e1' });
    expect((await bench.stored()).length).toBe(1);
  });

  it('does not wait for data that looks like a promise', async () => {
    const publisher = bench.publisher();
    const data = { then: 'x' };
    expect((await publisher.publish({ type: 'item.graded', data })).data).toEqual(data);
  });

  it('is refused within an open transaction of an only connection that it does not join', async () => {
    const publisher = bench.publisher();
    const inside = bench.database.run(() => publisher.publish(graded, { tx: null }));
    await expect(inside).rejects.toThrow(/^TX_SELF_WAIT/);
    await publisher.publish(graded);
    expect((await bench.stored()).length).toBe(1);
  });
});

describe('publishing without a store', () => {
  const brokerAway = new EventError('TRANSPORT_UNAVAILABLE', 'away', { transport: 'memory' });

  it('says which event of a batch the broker did not take, and takes the others', async () => {
    const publisher = bench.publisher({ store: undefined });
    const publish = bench.transport.publish.bind(bench.transport);
    bench.transport.publish = async (messages) => {
      const outcomes = await publish(messages.filter(({ id }) => id !== 'bad'));
      const rest = outcomes.values();
      return messages.map(({ id }) =>
        id === 'bad' ? { status: 'refused', error: brokerAway } : rest.next().value!,
      );
    };
    const drafts = ['good', 'bad', 'fine'].map((id) => ({ ...graded, id, subject: id }));
    await expect(publisher.publishBatch(drafts)).rejects.toMatchObject({
      code: 'BATCH_INCOMPLETE',
      details: {
        outcomes: [
          { status: 'published', eventId: 'good' },
          { status: 'failed', index: 1, error: brokerAway },
          { status: 'published', eventId: 'fine' },
        ],
      },
    });
    await expect(publisher.publish({ ...graded, id: 'bad' })).rejects.toBe(brokerAway);
    bench.transport.publish = publish;
    expect((await bench.arrived()).map(({ id }) => id)).toEqual(['good', 'fine']);
  });

  it('is bad for the health while the broker is away, and good again with the next event', async () => {
    const publisher = bench.publisher({ store: undefined, silence: ['PUBLISHER_TROUBLE'] });
    const publish = bench.transport.publish.bind(bench.transport);
    bench.transport.publish = () => Promise.reject(brokerAway);
    await expect(publisher.publish(graded)).rejects.toBe(brokerAway);
    await expect(publisher.publish(graded)).rejects.toBe(brokerAway);
    const { status, reasons } = publisher.health();
    expect(status).toBe('degraded');
    expect(reasons).toEqual([
      expect.stringMatching(/^the publisher of tests does not get on: .*away, since 2026/),
    ]);
    expect(bench.seen.of('trouble')).toHaveLength(1);
    bench.transport.publish = publish;
    await publisher.publish(graded);
    expect(publisher.health()).toEqual({ status: 'ok', reasons: [] });
    expect(bench.seen.of('recovered')).toHaveLength(1);
  });
});

describe('publishing with a store', () => {
  it('keeps where each event goes and by which key, beside it', async () => {
    await bench.publisher().publish({ ...graded, subject: 'item-1' });
    const { events } = await bench.events.readFrom(null);
    expect(events).toMatchObject([{ destination: 'memory', key: 'item-1' }]);
  });

  it('has the health of its relay', async () => {
    const refused = new EventError('TRANSPORT_UNAVAILABLE', 'away', { transport: 'memory' });
    const publish = bench.transport.publish.bind(bench.transport);
    bench.transport.publish = () => Promise.reject(refused);
    const publisher = bench.publisher({ silence: ['RELAY_TROUBLE'] });
    await publisher.publish(graded);
    await settle();
    expect(publisher.health()).toMatchObject({
      status: 'degraded',
      reasons: [expect.stringMatching(/^the relay of memory does not get on: .*away, since/)],
    });
    bench.transport.publish = publish;
    await bench.clock.advance(1_000);
    expect(publisher.health().status).toBe('ok');
  });
});

describe("publishing in the caller's transaction", () => {
  it('commits with it, and is found by the relay', async () => {
    const publisher = bench.publisher();
    await bench.database.run(async (tx) => {
      await publisher.publish(graded, { tx });
      expect((await bench.outbox.status()).waiting).toBe(0);
    });
    expect((await bench.stored()).length).toBe(1);
    await settle();
    await bench.clock.advance(100);
    expect((await bench.arrived()).length).toBe(1);
  });

  it('leaves nothing when it is rolled back', async () => {
    const publisher = bench.publisher();
    const failing = bench.database.run(async (tx) => {
      await publisher.publish(graded, { tx });
      await publisher.publishBatch([graded, graded], { tx });
      throw new Error('after publishing');
    });
    await expect(failing).rejects.toThrow('after publishing');
    await settle();
    await bench.clock.advance(10_000);
    expect(await bench.stored()).toEqual([]);
    expect((await bench.outbox.status()).waiting).toBe(0);
    expect(await bench.arrived()).toEqual([]);
  });

  it('is refused once it has ended, or by another database', async () => {
    const publisher = bench.publisher();
    const ended = await bench.database.run(async (tx) => tx);
    await expect(publisher.publish(graded, { tx: ended })).rejects.toThrow(/^TX_FINISHED/);
    await expect(publisher.publish(graded, { tx: {} })).rejects.toThrow(/^TX_FOREIGN/);
  });

  it('is refused without a store, where it would go out at once', async () => {
    const publisher = bench.publisher({ store: undefined });
    await expect(bench.database.run((tx) => publisher.publish(graded, { tx }))).rejects.toThrow(
      /^CAPABILITY_MISSING/,
    );
    expect(await bench.arrived()).toEqual([]);
  });
});

describe('shutting a publisher down', () => {
  it('waits for what is under way, and relays it', async () => {
    const publisher = bench.publisher();
    const published = publisher.publish(graded);
    const batch = publisher.publishBatch([graded, graded]);
    await settle();
    await publisher.shutdown();
    await Promise.all([published, batch]);
    expect((await bench.arrived()).length).toBe(3);
    expect(bench.clock.waiting).toBe(idleTimers);
  });

  it('waits for what has not been committed yet', async () => {
    const publisher = bench.publisher();
    const { promise, resolve } = Promise.withResolvers<void>();
    const busy = bench.database.run(() => promise);
    const published = publisher.publish(graded);
    let ended = false;
    const shutdown = publisher.shutdown().then(() => (ended = true));
    await settle();
    expect(ended).toBe(false);
    resolve();
    await Promise.all([busy, published, shutdown]);
    expect((await bench.outbox.status()).waiting).toBe(0);
  });

  it('of a service that relays elsewhere leaves the relaying to that', async () => {
    const publisher = bench.publisher({ relay: false });
    await publisher.publish(graded);
    await settle();
    await bench.clock.advance(10_000);
    expect(publisher.relay).toBeUndefined();
    expect((await bench.outbox.status()).waiting).toBe(1);
    await publisher.shutdown();
  });

  it('needs a service name to begin with', () => {
    expect(() => bench.publisher({ serviceName: '' })).toThrow(TypeError);
    expect(() => bench.publisher({ relayPollMs: -1 })).toThrow(TypeError);
  });
});

describe('advice of a product', () => {
  it('is asked for with the event as it goes out, and warns once', async () => {
    const publisher = bench.publisher({
      advise: (event, warn) => warn('USER_MISSING', `${event.type} says not who did it`),
    });
    await publisher.publish(graded);
    await publisher.publish(graded);
    expect(bench.seen.of('warning').map(({ message }) => message)).toEqual([
      'item.graded says not who did it',
    ]);
  });
});
