// A process of its own, between the script that wants a server and the server.
//
// It stops the server and removes its folder as soon as its standard input closes, which the operating
// system does even when the script was killed with SIGKILL. It sits in a session of its own, so that
// Ctrl-C at the terminal reaches the script alone and everything stops in order.

import { spawn, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { GuardedCommand, GuardOrder } from './guarded-process.ts';

const KILL_AFTER_MS = 10_000;
const KEPT_OUTPUT_CHARACTERS = 4_000;

const order = JSON.parse(process.argv[2] ?? '') as GuardOrder;
let output = '';
let current: ChildProcess | undefined;
let stopping = false;

process.stdin.resume().once('close', stop);
process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', stop);
process.stdout.on('error', () => {}); // the script is gone: nobody is left to read

for (const command of order.commands) {
  const exitCode = stopping ? 1 : await run(command);
  if (exitCode !== 0) break;
}
// More than once, because a server that is not ours may still write there: see held-folder.ts.
await rm(order.folder, { recursive: true, force: true, maxRetries: 5 });
process.stdout.end(output);
process.stdin.destroy();

function run(command: GuardedCommand): Promise<number> {
  const [file, ...args] = command;
  const child = spawn(file, args, {
    cwd: order.folder,
    uid: order.uid,
    gid: order.gid,
    env: { ...process.env, ...order.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  current = child;
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve) => {
    child.once('error', (error) => {
      keep(`${file}: ${error.message}\n`);
      resolve(1);
    });
    child.once('close', (code) => resolve(code ?? 1));
  });
}

function keep(chunk: Buffer | string): void {
  output = (output + chunk.toString()).slice(-KEPT_OUTPUT_CHARACTERS);
}

function stop(): void {
  if (stopping) return;
  stopping = true;
  current?.kill(order.stopSignal);
  setTimeout(() => current?.kill('SIGKILL'), KILL_AFTER_MS).unref();
}
