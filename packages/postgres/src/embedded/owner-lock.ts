import type { Server } from 'node:net';

import { EventError, randomIds, systemClock } from '@waybill/core';
import type { Clock } from '@waybill/core';

import { thisMachine } from './machine.ts';
import { readRecord, recordPath, removeRecord, writeRecord } from './owner-record.ts';
import type { OwnerRecord } from './owner-record.ts';
import { hold, lookAt, removeSocket, socketPath } from './owner-socket.ts';
import { takingTurns } from './takeover-lock.ts';

/** A second opener is to know within a second. */
const patienceMs = 500;

/** The right to be the only process that opens a directory. */
export interface OwnerLock {
  /** Gives the directory to whoever opens it next. */
  release(): Promise<void>;
}

/**
 * Makes this process the owner of a directory.
 *
 * A PGlite directory that two processes open is destroyed without an error, and PGlite takes no lock
 * itself. The lock is a socket: as long as somebody accepts connections, the directory is held. A dead
 * owner's socket refuses them, and only then, and on the same machine, is the directory taken over.
 *
 * @param directory Real path, without links.
 * @throws {EventError} `DIRECTORY_HELD`, within a second.
 */
export async function lockDirectory(
  directory: string,
  clock: Clock = systemClock,
): Promise<OwnerLock> {
  const path = await socketPath(directory);
  await assertNobodyAnswers(directory, path, clock);
  const record: OwnerRecord = { ...thisMachine(), pid: process.pid, token: randomIds() };
  const server = await takingTurns(`${path}.takeover`, { clock, patienceMs }, async () => {
    // Somebody may have been faster since.
    await assertNobodyAnswers(directory, path, clock);
    await assertLastOwnerWasHere(directory, record);
    await removeSocket(path);
    const held = await hold(path, record);
    await writeRecord(directory, record);
    return held;
  });
  if (!server) throw heldError(directory, await readRecord(directory), 'is being opened');
  return { release: () => release(directory, server) };
}

async function release(directory: string, server: Server): Promise<void> {
  await removeRecord(directory);
  // Closing removes the socket too.
  await new Promise((resolve) => server.close(resolve));
}

async function assertNobodyAnswers(directory: string, path: string, clock: Clock): Promise<void> {
  const found = await lookAt(path, clock);
  if (!found.held) return;
  throw heldError(directory, found.greeting ?? (await readRecord(directory)), 'is open');
}

/**
 * A record is left by an owner that did not close. If it was this machine's, its socket has just
 * refused us, or the machine has been started anew since: it is dead. Of another machine that shares the
 * disk we cannot know.
 */
async function assertLastOwnerWasHere(directory: string, { machine }: OwnerRecord): Promise<void> {
  const last = await readRecord(directory);
  if (!last || last.machine === machine) return;
  throw new EventError(
    'DIRECTORY_HELD',
    `${directory} was opened by process ${last.pid} on another machine or container (${last.machine}) and not closed; if that one is gone, delete ${recordPath(directory)} and try again`,
    { directory, pid: last.pid },
  );
}

function heldError(
  directory: string,
  owner: OwnerRecord | undefined,
  what: string,
): EventError<'DIRECTORY_HELD'> {
  const who = owner ? `process ${owner.pid}` : 'another process';
  return new EventError(
    'DIRECTORY_HELD',
    `${directory} ${what} in ${who}, and an embedded database has one process; stop that one, use another directory, or use a PostgreSQL server for both`,
    { directory, ...(owner ? { pid: owner.pid } : {}) },
  );
}
