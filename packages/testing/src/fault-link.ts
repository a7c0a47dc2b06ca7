import type { Socket } from 'node:net';

import type { Clock } from '@waybill/core';

import type { Direction, FaultMode } from './fault-mode.ts';

/** Small enough that a throttled link is a trickle, not a burst. */
const throttledPieceBytes = 512;

/** One connection through a proxy: a socket on each side, and what is done to the bytes between them. */
export class FaultLink {
  /** Resolves when both sockets are closed. */
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #clock: Clock;
  #mode: FaultMode;
  /** Aborted when the mode ends, or the link. */
  #modeEnds = new AbortController();
  #countedBytes: Record<Direction, number> = { requests: 0, replies: 0 };
  #lastRequest: Buffer | undefined;
  /** The client was kept from hearing something: its conversation makes no sense any more. */
  #lostReplies = false;
  #over = false;

  /** Both sockets are half-open ones (`allowHalfOpen`), so that either side may finish speaking first. */
  constructor(options: { client: Socket; server: Socket; mode: FaultMode; clock: Clock }) {
    this.#client = options.client;
    this.#server = options.server;
    this.#mode = options.mode;
    this.#clock = options.clock;
    const bothClosed = [this.#client, this.#server].map((socket) => this.#watch(socket));
    this.closed = Promise.all(bothClosed).then(() => undefined);
    void this.#pump('requests', this.#client, this.#server);
    void this.#pump('replies', this.#server, this.#client);
  }

  /** Changes what is done to the bytes from now on. */
  switchTo(mode: FaultMode): void {
    const before = this.#modeEnds;
    this.#modeEnds = new AbortController();
    this.#mode = mode;
    this.#countedBytes = { requests: 0, replies: 0 };
    if (mode.kind === 'reset') this.reset();
    else if (this.#lostReplies && mode.kind !== 'swallow-replies') this.reset();
    else if (mode.kind === 'replay-last-chunk' && this.#lastRequest) {
      this.#server.write(this.#lastRequest);
    }
    before.abort();
  }

  /** Ends both sides as a crashed peer does. */
  reset(): void {
    this.#over = true;
    this.#modeEnds.abort();
    resetNow(this.#client);
    resetNow(this.#server);
  }

  /** What happens to one side happens to the other, unless nothing gets through. */
  #watch(socket: Socket): Promise<void> {
    let failed = false;
    socket.on('error', () => {
      failed = true;
    });
    return new Promise((resolve) => {
      socket.on('close', () => {
        resolve();
        void this.#passable().then(() => (failed ? this.reset() : this.#destroy()));
      });
    });
  }

  #destroy(): void {
    this.#over = true;
    this.#modeEnds.abort();
    this.#client.destroy();
    this.#server.destroy();
  }

  async #pump(direction: Direction, from: Socket, to: Socket): Promise<void> {
    let last: Promise<void> = Promise.resolve();
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false })) {
        const arrivedAtMs = this.#clock.now();
        last = last.then(() => this.#handle(direction, chunk as Buffer, to, arrivedAtMs));
        // Whatever is delayed must not hold up the next arrival.
        if (this.#mode.kind !== 'delay') await last;
      }
      await last;
      await this.#passable();
      to.end();
    } catch {
      // The socket failed; its listeners see to the other side.
    }
  }

  async #handle(
    direction: Direction,
    chunk: Buffer,
    to: Socket,
    arrivedAtMs: number,
  ): Promise<void> {
    await this.#passable();
    const mode = this.#mode;
    if (direction === 'requests') this.#lastRequest = chunk;
    if (mode.kind === 'swallow-replies' && direction === 'replies') {
      this.#lostReplies = true;
    } else if (mode.kind === 'cut' && mode.direction === direction) {
      await this.#writeUpTo(mode.afterBytes, direction, chunk, to);
    } else if (mode.kind === 'throttle') {
      await this.#trickle(mode.bytesPerSecond, chunk, to);
    } else {
      if (mode.kind === 'delay') await this.#sleep(arrivedAtMs + mode.delayMs - this.#clock.now());
      await write(to, chunk);
    }
  }

  async #writeUpTo(
    afterBytes: number,
    direction: Direction,
    chunk: Buffer,
    to: Socket,
  ): Promise<void> {
    const allowed = Math.max(0, afterBytes - this.#countedBytes[direction]);
    this.#countedBytes[direction] += chunk.length;
    await write(to, chunk.subarray(0, allowed));
    if (chunk.length >= allowed) this.reset();
  }

  async #trickle(bytesPerSecond: number, chunk: Buffer, to: Socket): Promise<void> {
    const mode = this.#mode;
    let sent = 0;
    while (sent < chunk.length && this.#mode === mode && !this.#over) {
      const piece = chunk.subarray(sent, sent + throttledPieceBytes);
      await this.#sleep((piece.length / bytesPerSecond) * 1_000);
      await write(to, piece);
      sent += piece.length;
    }
    if (sent < chunk.length) await write(to, chunk.subarray(sent));
  }

  /** Waits until something may get through, or nothing ever will. */
  async #passable(): Promise<void> {
    while (this.#mode.kind === 'black-hole' && !this.#over) {
      const { signal } = this.#modeEnds;
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  #sleep(ms: number): Promise<void> {
    return this.#clock.sleep(Math.max(0, ms), this.#modeEnds.signal);
  }
}

/** Node cannot reset a socket that has said its last word, and then would neither close it nor say so. */
function resetNow(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** Resolves when the bytes are with the operating system, or cannot be any more. */
function write(to: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    to.write(bytes, () => resolve());
  });
}
