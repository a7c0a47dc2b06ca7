// Plain JavaScript: it runs on whatever Node a fresh machine has.
//
// node scripts/run.mjs <arguments of Node …>: installs what is missing, then runs the arguments on the
// Node that the checkout pins. Every script in package.json starts here, so all of them work straight
// after git clone.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { findNode, install, root, toolEnvironment } from './bootstrap.mjs';

/** @param {string[]} args */
function runNode(args) {
  const child = spawn(findNode(), args, { cwd: root, stdio: 'inherit', env: toolEnvironment() });
  // A terminal delivers Ctrl-C to the whole process group; a second copy would read as "do not wait".
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  child.once('error', fail);
  child.once('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
  });
}

/** @param {unknown} error */
function fail(error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

try {
  await install();
  runNode(process.argv.slice(2));
} catch (error) {
  fail(error);
}
