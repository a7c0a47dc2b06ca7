// The ledger itself: appends what it is told to a file and answers when the kernel has it, which no
// kill can undo.
//
// One line of JSON per entry comes in; `{"sequence":n}` goes back, in the same order.

import { open } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

import type { LedgerEntry } from './ledger-entry.ts';
import { tellParent, workerArgs } from './worker-side.ts';

interface Waiting {
  readonly line: string;
  readonly sequence: number;
  readonly socket: Socket;
}

const { path } = workerArgs<{ path: string }>();
const file = await open(path, 'a');
let lastSequence = 0;
let waiting: Waiting[] = [];
let writing = false;

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy()); // its process was killed; what it had sent counts
  const lines = createInterface({ input: socket });
  lines.on('line', (line) => enter(line, socket));
  lines.on('error', () => {}); // the same error once more
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  void tellParent('listening', { url: `tcp://127.0.0.1:${port}` });
});

function enter(line: string, socket: Socket): void {
  const entry = parse(line);
  if (!entry) return;
  const sequence = (lastSequence += 1);
  const recorded = JSON.stringify({ sequence, timeMs: performance.now(), ...entry });
  waiting.push({ line: `${recorded}\n`, sequence, socket });
  if (!writing) void writeWaiting();
}

/** @returns `undefined` for the beginning of a line that its process did not live to finish. */
function parse(line: string): LedgerEntry | undefined {
  try {
    return JSON.parse(line) as LedgerEntry;
  } catch {
    return undefined;
  }
}

/** Whatever came during a write is written together. */
async function writeWaiting(): Promise<void> {
  writing = true;
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    await file.appendFile(batch.map(({ line }) => line).join(''));
    for (const { sequence, socket } of batch) socket.write(`${JSON.stringify({ sequence })}\n`);
  }
  writing = false;
}
