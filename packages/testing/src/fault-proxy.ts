import { once } from 'node:events';
import {
  createConnection,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';

import { systemClock, type Clock } from '@waybill/core';

import { FaultLink } from './fault-link.ts';
import type { FaultMode } from './fault-mode.ts';

export interface FaultProxyOptions {
  /** The real server. */
  readonly to: { readonly host: string; readonly port: number };
  /** What the proxy does at first; passes everything unless given. */
  readonly mode?: FaultMode;
  readonly clock?: Clock;
}

/**
 * Starts a proxy in front of a TCP server, on a free port of the loopback interface.
 *
 * @returns The proxy, once it listens.
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new FaultProxy(options);
  await proxy.start();
  return proxy;
}

/** A network that can be broken while programs use it. */
export class FaultProxy {
  readonly host = '127.0.0.1';
  readonly #options: FaultProxyOptions;
  readonly #server: Server;
  readonly #links = new Set<FaultLink>();
  /** Accepted, and never served. */
  readonly #unserved = new Set<Socket>();
  #mode: FaultMode;
  #port = 0;
  #accepted = 0;

  constructor(options: FaultProxyOptions) {
    this.#options = options;
    this.#mode = options.mode ?? { kind: 'pass' };
    this.#server = createServer({ allowHalfOpen: true, noDelay: true });
    this.#server.on('connection', (client) => this.#connect(client));
  }

  /** Port that clients connect to; stays the same for the proxy's whole life. */
  get port(): number {
    return this.#port;
  }

  get mode(): FaultMode {
    return this.#mode;
  }

  /** Connections since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#links.size;
  }

  /** Called by `startFaultProxy`. */
  async start(): Promise<void> {
    await this.#listen();
    if (this.#mode.kind === 'refuse') this.#server.close();
  }

  /**
   * Breaks the network in another way, or heals it (`pass`); resolves when it is so.
   *
   * Refusing closes the port; connections that are open do not end with it.
   */
  async switchTo(mode: FaultMode): Promise<void> {
    this.#mode = mode;
    if (mode.kind === 'refuse') this.#server.close();
    else if (!this.#server.listening) await this.#listen();
    for (const link of this.#links) link.switchTo(mode);
  }

  /** Resets what is open and listens no more. Idempotent. */
  async stop(): Promise<void> {
    const links = [...this.#links];
    for (const link of links) link.reset();
    for (const client of this.#unserved) client.resetAndDestroy();
    if (this.#server.listening) this.#server.close();
    await Promise.all(links.map((link) => link.closed));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, this.host);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #connect(client: Socket): void {
    this.#accepted += 1;
    if (this.#mode.kind === 'reset') {
      client.resetAndDestroy();
      return;
    }
    if (this.#mode.kind === 'deaf') {
      this.#unserved.add(client);
      client.on('error', () => {}); // its end is all that is of interest
      client.on('close', () => this.#unserved.delete(client));
      client.resume();
      return;
    }
    const { to, clock = systemClock } = this.#options;
    const server = createConnection({ ...to, allowHalfOpen: true, noDelay: true });
    const link = new FaultLink({ client, server, mode: this.#mode, clock });
    this.#links.add(link);
    void link.closed.then(() => this.#links.delete(link));
  }
}
