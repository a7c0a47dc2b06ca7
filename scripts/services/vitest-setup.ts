import { services } from './services.ts';
import { startServices } from './start-services.ts';

/**
 * Starts the servers before the first integration test and puts their URLs into the environment.
 *
 * @returns What stops them after the last test.
 * @throws Error if one is missing and `CI=true`: there, a skipped suite would look like a passed one.
 */
export default async function setUpServices(): Promise<() => Promise<void>> {
  const started = await startServices(services);
  for (const { variable } of started.missing) delete process.env[variable];
  Object.assign(process.env, started.urls);
  process.env.MISSING_SERVICES = JSON.stringify(started.missing);
  if (process.env.CI === 'true' && started.missing.length > 0) {
    await started.stop();
    const reasons = started.missing.map(({ name, reason }) => `${name}: ${reason}`);
    throw new Error(`With CI=true every server must be there. ${reasons.join('; ')}`);
  }
  return () => started.stop();
}
