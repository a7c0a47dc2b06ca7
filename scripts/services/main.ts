// npm run services: runs the servers in the foreground, for a person who runs single tests against them.

import { startServices } from './start-services.ts';
import { services } from './services.ts';

const PARENT_CHECK_MS = 500;

const parent = process.ppid;
const started = await startServices(services);
for (const { name, reason } of started.missing) console.error(`${name} is missing: ${reason}`);
for (const [variable, url] of Object.entries(started.urls)) {
  console.log(`export ${variable}=${url}`);
}
console.error('Paste these lines into another terminal. Ctrl-C stops the servers.');

const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupt);
// A parent that was killed cannot pass a signal on; its children get another parent.
const watch = setInterval(() => process.ppid === parent || interrupt(), PARENT_CHECK_MS);
try {
  await Promise.race([interrupted, started.failure]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  clearInterval(watch);
  await started.stop();
}
