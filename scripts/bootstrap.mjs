// Plain JavaScript: it runs on whatever Node a fresh machine has.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { withProgress } from './progress.mjs';

/** The checkout's folder. */
export const root = resolve(import.meta.dirname, '..');

const binFolder = join(root, 'node_modules', '.bin');
const oldestNode = [22, 22];

/**
 * Installs what package-lock.json names into the checkout, unless it is there already.
 *
 * @returns {Promise<void>}
 */
export async function install() {
  if (isInstalled(root)) return;
  console.error('Installing the packages that package-lock.json names into node_modules (once).');
  /** @type {Buffer[]} */
  const output = [];
  const npm = spawnNpm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  npm.stdout.on('data', (chunk) => output.push(chunk));
  npm.stderr.on('data', (chunk) => output.push(chunk));
  const exit = new Promise((done, fail) => npm.once('error', fail).once('close', done));
  const code = await withProgress('installing', exit, countPackages);
  if (code === 0) return;
  console.error(Buffer.concat(output).toString());
  throw new Error('npm ci failed; its output is above. Is the registry reachable?');
}

/**
 * Tells whether node_modules holds exactly what package-lock.json names.
 *
 * npm keeps a lockfile of what it really installed; comparing with that one also notices an install by
 * hand and one that was interrupted, which a stamp of our own would not.
 *
 * @param {string} folder The checkout.
 * @returns {boolean}
 */
export function isInstalled(folder) {
  const installedLock = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(installedLock)) return false;
  const installed = readPackages(installedLock);
  const wanted = readPackages(join(folder, 'package-lock.json'));
  return Object.entries(wanted).every(([path, entry]) => {
    const found = installed[path];
    if (path === '') return true;
    if (found === undefined) return entry.optional === true || entry.peer === true;
    return found.version === entry.version;
  });
}

/**
 * Finds the Node to run everything with: the pinned one, else the running one if it is new enough.
 *
 * @returns {string} Path of the binary.
 */
export function findNode() {
  const pinned = join(root, 'node_modules', 'node', 'bin', 'node');
  if (existsSync(pinned)) return pinned;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) {
    return process.execPath;
  }
  throw new Error(
    `Node ${oldestNode.join('.')} or newer is needed, this is ${process.versions.node}, and the one that npm ` +
      'should have put into node_modules/node is missing: allow its install script, or install Node 24.',
  );
}

/**
 * The environment in which `node` and the tools' commands are the checkout's own.
 *
 * @returns {NodeJS.ProcessEnv}
 */
export function toolEnvironment() {
  return { ...process.env, PATH: [binFolder, process.env.PATH].join(delimiter) };
}

/** @param {string[]} args */
function spawnNpm(args) {
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  return spawn(command, [...first, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** @param {string} file @returns {Record<string, { version?: string, optional?: boolean, peer?: boolean }>} */
function readPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

function countPackages() {
  const folder = join(root, 'node_modules');
  return existsSync(folder) ? `${readdirSync(folder).length} folders in node_modules` : '';
}
