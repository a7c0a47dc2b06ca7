import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

import type { LedgerEntry } from './ledger-entry.ts';

interface Answer {
  resolve(sequence: number): void;
  reject(error: Error): void;
}

/** Reports to a ledger from the process that did the work. */
export class LedgerClient {
  readonly #socket: Socket;
  /** Reports under way; the ledger answers in order. */
  readonly #pending: Answer[] = [];
  #ended: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => {
      const { sequence } = JSON.parse(line) as { sequence: number };
      this.#pending.shift()?.resolve(sequence);
    });
    lines.on('error', () => {}); // the socket reports it
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the connection to the ledger has ended')));
  }

  /** @param url As `startLedger` gave it. */
  static async connect(url: string): Promise<LedgerClient> {
    const { hostname, port } = new URL(url);
    const socket = createConnection({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new LedgerClient(socket);
  }

  /**
   * Enters what happened.
   *
   * @returns Its place in the ledger, once it is in the file; no kill can undo it.
   * @throws Error if the connection is lost; the entry may be in the ledger or not.
   */
  report(entry: LedgerEntry): Promise<number> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
      this.#socket.write(`${JSON.stringify(entry)}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }
}
