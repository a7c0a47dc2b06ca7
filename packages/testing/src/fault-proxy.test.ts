import { once } from 'node:events';
import {
  createConnection,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';

import { systemClock, type Clock } from '@waybill/core';
import { ManualClock } from '@waybill/core/memory';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { FaultMode } from './fault-mode.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';

/** A client that remembers what it was told and how its connection ended. */
class Client {
  readonly socket: Socket;
  received = '';
  error: string | undefined;

  constructor(port: number) {
    this.socket = createConnection({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => (this.received += chunk.toString()));
    this.socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code));
  }

  say(text: string): void {
    this.socket.write(text);
  }

  async hears(text: string): Promise<void> {
    await vi.waitFor(() => expect(this.received).toBe(text), 10_000);
  }

  async isReset(): Promise<void> {
    await vi.waitFor(() => expect(this.error).toBe('ECONNRESET'), 10_000);
  }
}

describe('a fault proxy', () => {
  let server: Server;
  /** What the server got, over all connections. */
  let served: string;
  let proxy: FaultProxy;
  let clients: Client[];
  let serverSide: Set<Socket>;

  beforeEach(async () => {
    served = '';
    clients = [];
    serverSide = new Set();
    server = createServer((socket) => {
      serverSide.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => serverSide.delete(socket));
      socket.on('data', (chunk: Buffer) => {
        served += chunk.toString();
        socket.write(chunk.toString().toUpperCase());
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    await proxy.stop();
    for (const { socket } of clients) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  async function start(options: { mode?: FaultMode; clock?: Clock } = {}): Promise<void> {
    const { port } = server.address() as AddressInfo;
    proxy = await startFaultProxy({ to: { host: '127.0.0.1', port }, ...options });
  }

  function connect(): Client {
    const client = new Client(proxy.port);
    clients.push(client);
    return client;
  }

  /** A client that has talked to the server already. */
  async function connected(): Promise<Client> {
    const client = connect();
    client.say('hi ');
    await client.hears('HI ');
    return client;
  }

  const expectArrival = (text: string) => vi.waitFor(() => expect(served).toBe(text), 10_000);

  it('passes bytes both ways and counts connections', async () => {
    await start();
    const [one, two] = [await connected(), await connected()];

    one.say('there');
    await one.hears('HI THERE');
    expect({ accepted: proxy.accepted, open: proxy.open }).toEqual({ accepted: 2, open: 2 });

    two.socket.end();
    await vi.waitFor(() => expect(proxy.open).toBe(1), 10_000);
    expect(proxy.accepted).toBe(2);
    expect(one.error).toBeUndefined();
  });

  it('carries many bytes unchanged', async () => {
    await start();
    const client = connect();
    const text = 'abcdefgh'.repeat(100_000);

    client.say(text);

    await vi.waitFor(() => expect(client.received.length).toBe(text.length), 10_000);
    expect(client.received).toBe(text.toUpperCase());
  });

  it('lets a client finish speaking and hear the answer', async () => {
    await start();
    const client = connect();

    client.socket.end('last words');

    await client.hears('LAST WORDS');
    await vi.waitFor(() => expect(proxy.open).toBe(0), 10_000);
    expect(client.error).toBeUndefined();
  });

  it('refuses new connections, keeps open ones, and listens again on the same port', async () => {
    await start();
    const old = await connected();
    const { port } = proxy;

    await proxy.switchTo({ kind: 'refuse' });
    const refused = connect();
    await vi.waitFor(() => expect(refused.error).toBe('ECONNREFUSED'), 10_000);
    old.say('still');
    await old.hears('HI STILL');

    await proxy.switchTo({ kind: 'pass' });
    expect(proxy.port).toBe(port);
    await connected();
  });

  it('refuses from the start when told so', async () => {
    await start({ mode: { kind: 'refuse' } });
    const refused = connect();

    await vi.waitFor(() => expect(refused.error).toBe('ECONNREFUSED'), 10_000);
  });

  it('resets open connections and new ones', async () => {
    await start();
    const old = await connected();

    await proxy.switchTo({ kind: 'reset' });
    await old.isReset();
    await connect().isReset();

    await proxy.switchTo({ kind: 'pass' });
    await connected();
    expect(served).toBe('hi hi ');
  });

  it('is deaf to new connections for good, and to no other', async () => {
    await start();
    const before = connect();
    before.say('one ');
    await before.hears('ONE ');
    await proxy.switchTo({ kind: 'deaf' });
    const unheard = connect();
    unheard.say('two ');
    before.say('three ');
    await before.hears('ONE THREE ');
    await vi.waitFor(() => expect(proxy.accepted).toBe(2), 10_000);

    await proxy.switchTo({ kind: 'pass' });
    const after = connect();
    after.say('four ');
    await after.hears('FOUR ');
    expect(served).toBe('one three four ');
    expect(unheard).toMatchObject({ received: '', error: undefined });
    await proxy.stop();
    await unheard.isReset();
  });

  it('lets nothing through a black hole and closes nothing', async () => {
    await start();
    const client = await connected();

    await proxy.switchTo({ kind: 'black-hole' });
    client.say('lost?');
    const late = connect();
    late.say('late ');
    await once(late.socket, 'connect');
    await vi.waitFor(() => expect(proxy.open).toBe(2), 10_000);
    await new Promise((resolve) => setTimeout(resolve, 100));

    expect(served).toBe('hi ');
    expect({ received: client.received, error: client.error }).toEqual({ received: 'HI ' });
    expect({ received: late.received, error: late.error }).toEqual({ received: '' });
    expect(proxy.open).toBe(2);

    await proxy.switchTo({ kind: 'pass' });
    await client.hears('HI LOST?');
    await late.hears('LATE ');
  });

  it('does not tell through a black hole that the server has gone', async () => {
    await start();
    const client = await connected();

    await proxy.switchTo({ kind: 'black-hole' });
    for (const socket of serverSide) socket.resetAndDestroy();
    client.say('anybody there?');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect({ error: client.error, state: client.socket.readyState }).toEqual({ state: 'open' });

    await proxy.switchTo({ kind: 'pass' });
    await client.isReset();
  });

  it('swallows replies only, and ends conversations that have lost one', async () => {
    await start();
    const [client, silent] = [await connected(), await connected()];

    await proxy.switchTo({ kind: 'swallow-replies' });
    client.say('write');
    await expectArrival('hi hi write');
    client.say(' on'); // by its arrival, the first reply is with the proxy
    await expectArrival('hi hi write on');
    expect(client.received).toBe('HI ');
    expect(client.error).toBeUndefined();

    await proxy.switchTo({ kind: 'pass' });
    await client.isReset();
    silent.say('me');
    await silent.hears('HI ME');
  });

  it('cuts requests in the middle', async () => {
    await start();
    const client = await connected();

    await proxy.switchTo({ kind: 'cut', direction: 'requests', afterBytes: 4 });
    client.say('ab');
    await expectArrival('hi ab');
    client.say('cdef');

    await client.isReset();
    await expectArrival('hi abcd');
  });

  it('cuts replies in the middle', async () => {
    await start();
    const client = await connected();

    await proxy.switchTo({ kind: 'cut', direction: 'replies', afterBytes: 3 });
    client.say('abcdef');

    await client.isReset();
    expect(client.received).toBe('HI ABC');
    expect(served).toBe('hi abcdef');
  });

  it('delays both ways without changing the order', async () => {
    const clock = new ManualClock();
    await start({ clock });
    const client = await connected();

    await proxy.switchTo({ kind: 'delay', delayMs: 1_000 });
    client.say('a');
    await vi.waitFor(() => expect(clock.waiting).toBe(1), 10_000);
    await clock.advance(999);
    expect(served).toBe('hi ');
    await clock.advance(1);
    await expectArrival('hi a');

    await vi.waitFor(() => expect(clock.waiting).toBe(1), 10_000);
    expect(client.received).toBe('HI ');
    await clock.advance(1_000);
    await client.hears('HI A');
  });

  it('delays each chunk from its own arrival', async () => {
    const clock = new ManualClock();
    const looks = vi.spyOn(clock, 'now');
    const comesIn = async (client: Client, text: string) => {
      const before = looks.mock.calls.length;
      client.say(text);
      await vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(before), 10_000);
    };
    await start({ clock, mode: { kind: 'delay', delayMs: 1_000 } });
    const client = connect();
    await comesIn(client, 'a');
    await vi.waitFor(() => expect(clock.waiting).toBe(1), 10_000);
    await clock.advance(400);
    await comesIn(client, 'b');

    await clock.advance(600);
    await expectArrival('a');
    await vi.waitFor(() => expect(clock.waiting).toBe(2), 10_000); // 'b', and the reply to 'a'
    await clock.advance(400);
    await expectArrival('ab');
  });

  it('throttles to so many bytes per second', async () => {
    const clock = new ManualClock();
    await start({ clock });
    const client = await connected();

    await proxy.switchTo({ kind: 'throttle', bytesPerSecond: 1_024 });
    client.say('x'.repeat(2_048));
    await vi.waitFor(() => expect(clock.waiting).toBe(1), 10_000);
    expect(served).toBe('hi ');
    await clock.advance(500);
    await vi.waitFor(() => expect(served.length).toBe(3 + 512), 10_000);

    await proxy.switchTo({ kind: 'pass' });
    await vi.waitFor(() => expect(served.length).toBe(3 + 2_048), 10_000);
  });

  it('sends the last requests of each connection once more', async () => {
    await start();
    const client = await connected();
    client.say('again ');
    await client.hears('HI AGAIN ');

    await proxy.switchTo({ kind: 'replay-last-chunk' });
    await expectArrival('hi again again ');
    await client.hears('HI AGAIN AGAIN ');
    client.say('on');
    await expectArrival('hi again again on');
  });

  it('resets its clients when there is no server', async () => {
    proxy = await startFaultProxy({ to: { host: '127.0.0.1', port: 1 } });

    await connect().isReset();
    await vi.waitFor(() => expect(proxy.open).toBe(0), 10_000);
  });

  it.for([
    { kind: 'pass' },
    { kind: 'refuse' },
    { kind: 'black-hole' },
    { kind: 'swallow-replies' },
    { kind: 'delay', delayMs: 60_000 },
    { kind: 'throttle', bytesPerSecond: 1 },
  ] as const satisfies FaultMode[])('leaves nothing open when stopped in %j', async (mode) => {
    await start({ clock: systemClock });
    const client = await connected();
    await proxy.switchTo(mode);
    client.say('more');

    await proxy.stop();
    await proxy.stop();

    await client.isReset();
    expect(proxy.open).toBe(0);
    const late = connect();
    await vi.waitFor(() => expect(late.error).toBe('ECONNREFUSED'), 10_000);
    await vi.waitFor(() => expect(serverSide.size).toBe(0), 10_000);
  });
});
