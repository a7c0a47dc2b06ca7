import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import type { Clock } from '@waybill/core';

import type { OwnerRecord } from './owner-record.ts';

/** What a look at a socket found; a stopped or busy owner accepts and stays silent. */
export type SocketState =
  | { readonly held: false }
  | { readonly held: true; readonly greeting: OwnerRecord | undefined };

/** An owner that is not busy answers at once; a busy one is named by its record. */
const greetingMs = 300;

/**
 * The socket of a directory, in a folder of the user's own under the system's temporary folder: in the
 * directory itself its path could be longer than the system allows.
 *
 * @param directory Real path, without links.
 * @throws {TypeError} if somebody else could put a socket into the folder.
 */
export async function socketPath(directory: string): Promise<string> {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `waybill-${uid}`);
  await mkdir(folder, { mode: 0o700, recursive: true });
  const found = await lstat(folder);
  if (!found.isDirectory() || (uid >= 0 && found.uid !== uid)) {
    throw new TypeError(`${folder} must be a folder of user ${uid}; remove it.`);
  }
  await chmod(folder, 0o700);
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 32);
  return join(folder, `${name}.sock`);
}

/** Connected means held, whether anybody answers or not. */
export async function lookAt(path: string, clock: Clock): Promise<SocketState> {
  const { promise, resolve } = Promise.withResolvers<SocketState>();
  const socket = createConnection(path);
  let connected = false;
  let received = '';
  const held = (): void => resolve({ held: true, greeting: parseGreeting(received) });
  const giveUp = clock.schedule(greetingMs, held);
  socket.setEncoding('utf8');
  socket.on('connect', () => (connected = true));
  socket.on('data', (chunk: string) => {
    received += chunk;
    if (received.includes('\n')) held();
  });
  socket.on('end', held);
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const nobody = !connected && (error.code === 'ECONNREFUSED' || error.code === 'ENOENT');
    if (nobody) resolve({ held: false });
    else held();
  });
  try {
    return await promise;
  } finally {
    giveUp();
    socket.destroy();
  }
}

/**
 * Holds a socket, and greets whoever connects with the owner's record. It keeps no process alive.
 *
 * @throws The system's error, `EADDRINUSE` if the path is taken.
 */
export async function hold(path: string, record: OwnerRecord): Promise<Server> {
  const server = createServer((socket) => {
    socket.unref();
    // Whoever looked may have gone already.
    socket.on('error', () => {});
    socket.end(`${JSON.stringify(record)}\n`);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(path, resolve);
  await promise;
  server.unref();
  await chmod(path, 0o600);
  return server;
}

/** Removes the socket of an owner that is dead. */
export async function removeSocket(path: string): Promise<void> {
  await rm(path, { force: true });
}

function parseGreeting(received: string): OwnerRecord | undefined {
  try {
    return JSON.parse(received) as OwnerRecord;
  } catch {
    return undefined; // Silent, or cut off: held all the same.
  }
}
