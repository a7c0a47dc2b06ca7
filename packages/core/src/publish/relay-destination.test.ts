import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  destination,
  idsOf,
  keyA,
  keyB,
  RelayBench,
  type TestPublish,
} from '../../test/relay-bench.ts';
import { settle, until } from '../../test/until.ts';
import { EventError } from '../errors.ts';
import type { Logger } from '../observer.ts';
import { accepted } from '../transport/publish-outcome.ts';
import { destinationChanged } from '../transport/destination-changed.ts';

let bench: RelayBench;

beforeEach(() => {
  bench = new RelayBench();
});

afterEach(() => bench.end());

const away = new EventError('TRANSPORT_UNAVAILABLE', 'away', { transport: 'test' });
const refusal = new EventError(
  'TRANSPORT_UNAVAILABLE',
  'wrong type of key',
  { transport: 'test' },
  { retryable: false },
);

/** A server that bears a mark, and takes only what is meant for it. */
class MarkedServer {
  marker: string | undefined;
  readonly taken: string[] = [];

  readonly publish: TestPublish = async (messages, { marker }) => {
    const found = this.marker ?? null;
    if (marker !== undefined && marker !== found) {
      throw destinationChanged(destination, marker, found);
    }
    this.taken.push(...idsOf(messages));
  };

  readonly mark = async (candidate: string): Promise<string> => (this.marker ??= candidate);
}

/** A logger that keeps what it was told. */
function memoryLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const log = (level: string) => (_details: object, text: string) =>
    void lines.push(`${level} ${text}`);
  return { lines, debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}

describe('the server of a destination', () => {
  it('is marked with the first publish, and known again by its mark', async () => {
    const server = new MarkedServer();
    bench.relay(server).start();
    await bench.add(keyA, 'a1');
    await until(() => server.taken.length === 1, 'it is published');
    expect(server.marker).toBeDefined();
    expect((await bench.outbox.checkIn(destination)).marker).toBe(server.marker);
    await bench.add(keyA, 'a2');
    await bench.clock.advance(100);
    expect(server.taken).toEqual(['a1', 'a2']);
  });

  it('that others have marked keeps their mark', async () => {
    const server = new MarkedServer();
    server.marker = 'somebody has';
    bench.relay(server).start();
    await bench.add(keyA, 'a1');
    await until(() => server.taken.length === 1, 'it is published');
    expect((await bench.outbox.checkIn(destination)).marker).toBe('somebody has');
  });

  it('that was emptied is marked anew, said to be so, and relayed to', async () => {
    const server = new MarkedServer();
    const logger = memoryLogger();
    const relay = bench.relay({ ...server, logger });
    relay.start();
    await bench.add(keyA, 'a1');
    await until(() => server.taken.length === 1, 'it is published');
    const { marker } = server;
    server.marker = undefined;
    await bench.add(keyA, 'a2');
    await bench.clock.advance(100);
    expect(server.taken).toEqual(['a1', 'a2']);
    expect(server.marker).toBe(marker);
    expect(bench.seen.of('emptied')).toEqual([{ kind: 'emptied', destination }]);
    expect(logger.lines).toEqual([expect.stringMatching(/^warn test was emptied/)]);
    expect(relay.health()).toEqual({ status: 'ok', reasons: [] });
  });

  it('that another relay has marked anew at that very moment is the known one', async () => {
    const server = new MarkedServer();
    let isEmptied = true;
    const relay = bench.relay({
      mark: server.mark,
      async publish(messages, options) {
        await server.publish(messages, options);
        if (!isEmptied) return;
        isEmptied = false;
        server.taken.length = 0;
        throw destinationChanged(destination, options.marker!, options.marker!);
      },
    });
    await bench.add(keyA, 'a1');
    relay.start();
    await until(() => server.taken.length === 1, 'it is published');
    expect(bench.seen.of('trouble')).toEqual([]);
  });

  it('that is another one gets nothing, until an operator accepts it', async () => {
    const server = new MarkedServer();
    await bench.outbox.keepMarker(destination, 'the one before');
    server.marker = 'another one';
    const logger = memoryLogger();
    const relay = bench.relay({ ...server, logger });
    relay.start();
    await bench.add(keyA, 'a1');
    await bench.add(keyB, 'b1');
    await settle();
    await bench.clock.advance(60_000);
    expect(server.taken).toEqual([]);
    const { status, reasons } = relay.health();
    expect(status).toBe('degraded');
    expect(reasons).toEqual([
      expect.stringMatching(
        /another server than before .* UPDATE event_destination SET marker = 'another one'.*since 2026/,
      ),
    ]);
    expect(logger.lines).toEqual([
      expect.stringMatching(/^warn the relay of test does not get on/),
    ]);

    bench.outbox.checkIn = async () => ({ marker: 'another one', refused: [], unrelayed: [] });
    await bench.clock.advance(10_000);
    expect(server.taken.toSorted()).toEqual(['a1', 'b1']);
    expect(relay.health()).toEqual({ status: 'ok', reasons: [] });
    expect(logger.lines[1]).toMatch(/^warn the relay of test gets on again after \d+ ms/);
  });
});

describe('the health of a relay', () => {
  it('says from the first failure on that its destination is away, and once that it is back', async () => {
    let isAway = true;
    const relay = bench.relay({
      publish: async (messages) => {
        if (isAway) throw away;
        bench.published.push(...idsOf(messages));
      },
    });
    await bench.add(keyA, 'a1');
    await bench.add(keyB, 'b1');
    relay.start();
    await settle();
    const since = new Date(bench.clock.now()).toISOString();
    await bench.clock.advance(30_000);
    expect(relay.health()).toEqual({
      status: 'degraded',
      reasons: [`the relay of test does not get on: ${away.message}, since ${since}`],
    });
    isAway = false;
    await bench.clock.advance(10_000);
    expect(relay.health()).toEqual({ status: 'ok', reasons: [] });
    expect(bench.seen.of('trouble')).toMatchObject([
      { who: 'relay', name: destination, error: away },
    ]);
    expect(bench.seen.of('recovered')).toHaveLength(1);
  });

  it('is good again when another relay was luckier', async () => {
    const relay = bench.relay({ publish: () => Promise.reject(away) });
    await bench.add(keyA, 'a1');
    relay.start();
    await settle();
    expect(relay.health().status).toBe('degraded');
    bench.relay().start();
    await until(() => bench.published.length === 1, 'the other one publishes it');
    await bench.clock.advance(10_000);
    expect(relay.health().status).toBe('ok');
  });

  it('names messages that are not taken, while others go on', async () => {
    let isMended = false;
    const logger = memoryLogger();
    const relay = bench.relay({
      logger,
      publish: async (messages) =>
        messages.map(({ id, key }) => {
          if (key === keyA && !isMended) return { status: 'refused', error: refusal };
          bench.published.push(id);
          return accepted(id);
        }),
    });
    await bench.add(keyA, 'a1', 'a2');
    await bench.add(keyB, 'b1');
    relay.start();
    await settle();
    await bench.clock.advance(10_000);
    expect(bench.published).toEqual(['b1']);
    const { status, reasons } = relay.health();
    expect(status).toBe('degraded');
    expect(reasons).toEqual([
      expect.stringMatching(/^test does not take item.graded a1 \(.*wrong type of key.*\), since/),
    ]);
    expect(bench.seen.of('publish-refused')[0]).toMatchObject({ eventId: 'a1', key: keyA });
    expect(logger.lines[0]).toMatch(/test does not take item.graded a1/);
    expect(bench.seen.of('relay-failed')).toEqual([]);

    isMended = true;
    await bench.clock.advance(60_000);
    expect(bench.published).toEqual(['b1', 'a1', 'a2']);
    expect(relay.health()).toEqual({ status: 'ok', reasons: [] });
  });

  it('names destinations that nobody relays', async () => {
    const relay = bench.relay();
    const [message] = [{ id: 'x', type: 'a.b', key: 'k', contentType: 'text/plain', body: '' }];
    await bench.outbox.add([message], { destination: 'elsewhere' });
    relay.start();
    await settle();
    expect(relay.health().status).toBe('ok');
    await bench.clock.advance(40_000);
    expect(relay.health().reasons).toEqual([
      expect.stringMatching(/^messages wait for elsewhere, and nobody relays them, since/),
    ]);
    bench.relay({ destination: 'elsewhere' }).start();
    await settle();
    await bench.clock.advance(6_000);
    expect(relay.health()).toEqual({ status: 'ok', reasons: [] });
  });
});
