import { services } from './services.ts';
import { startServices, type StartedServices } from './start-services.ts';

/**
 * Starts the servers before the first integration test and puts their URLs into the environment.
 *
 * @returns What stops them after the last test.
 * @throws Error if one is missing and `CI=true`.
 */
export default async function setUpServices(): Promise<() => Promise<void>> {
  const started = await startServices(services);
  try {
    handOver(started, process.env);
  } catch (error) {
    await started.stop();
    throw error;
  }
  return () => started.stop();
}

/**
 * Puts into the environment what the tests read: a URL for each server that is there, none for a missing
 * one, and the reasons for the report at the end.
 *
 * @throws Error if one is missing and `CI=true`: there, a skipped suite would look like a passed one.
 */
export function handOver(
  { urls, missing }: Pick<StartedServices, 'urls' | 'missing'>,
  environment: NodeJS.ProcessEnv,
): void {
  if (environment.CI === 'true' && missing.length > 0) {
    const reasons = missing.map(({ name, reason }) => `${name}: ${reason}`);
    throw new Error(`With CI=true every server must be there. ${reasons.join('; ')}`);
  }
  for (const { variable } of missing) delete environment[variable];
  Object.assign(environment, urls);
  environment.MISSING_SERVICES = JSON.stringify(missing);
}
