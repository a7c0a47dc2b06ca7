// npm run services: runs the servers in the foreground, for a person who runs single tests against them.

import { startServices } from './start-services.ts';
import { services } from './services.ts';

const started = await startServices(services);
for (const { name, reason } of started.missing) console.error(`${name} is missing: ${reason}`);
for (const [variable, url] of Object.entries(started.urls))
  console.log(`export ${variable}=${url}`);
console.error('Paste these lines into another terminal. Ctrl-C stops the servers.');

const interrupted = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => resolve());
});
const keepAlive = setInterval(() => {}, 60_000);
try {
  await Promise.race([interrupted, started.failure]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  clearInterval(keepAlive);
  await started.stop();
}
