import { withProgress } from '../progress.mjs';
import type { RunningService, Service } from './service.ts';

const GIVEN_URL_DEADLINE_MS = 10_000;

/** A service that could not be had. */
export interface MissingService {
  readonly name: string;
  readonly variable: string;
  readonly reason: string;
}

/** What a run has to work with. */
export interface StartedServices {
  /** URL by environment variable, given and started ones alike. */
  readonly urls: Readonly<Record<string, string>>;
  readonly missing: readonly MissingService[];
  /** Rejects if a server that we started goes away before `stop`. */
  readonly failure: Promise<never>;
  /** Stops what was started here; servers whose URL was given stay as they are. */
  stop(): Promise<void>;
}

/**
 * Gets every service: the one whose URL the environment gives, else one of our own.
 *
 * Never throws for a missing server; the caller decides whether that is a failure.
 */
export async function startServices(
  services: readonly Service[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<StartedServices> {
  const urls: Record<string, string> = {};
  const missing: MissingService[] = [];
  const running: RunningService[] = [];
  const say = sayOnce();
  const getOne = async (service: Service) => {
    const { name, variable } = service;
    try {
      const given = environment[variable];
      if (given) await service.waitUntilReady(given, GIVEN_URL_DEADLINE_MS);
      const started = given ? undefined : await service.start(say);
      if (started !== undefined) running.push(started);
      urls[variable] = given || (started?.url ?? '');
    } catch (error) {
      missing.push({ name, variable, reason: describe(error, environment[variable], variable) });
    }
  };
  const names = services.map((service) => service.name).join(', ');
  await withProgress(`starting ${names}`, Promise.all(services.map(getOne)));
  return { urls, missing, ...supervise(running) };
}

function supervise(running: readonly RunningService[]): Pick<StartedServices, 'failure' | 'stop'> {
  let stopping = false;
  const failure = new Promise<never>((_, reject) => {
    for (const service of running) {
      const report = (output: string) => {
        if (!stopping) reject(new Error(`The server at ${service.url} went away: ${output}`));
      };
      service.exited.then(report, reject);
    }
  });
  failure.catch(() => {}); // only who asks for it wants to hear of it
  return {
    failure,
    async stop() {
      stopping = true;
      await Promise.all(running.map((service) => service.stop()));
    },
  };
}

function describe(error: unknown, givenUrl: string | undefined, variable: string): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return givenUrl ? `${variable} is set, but nothing usable answers there: ${message}` : message;
}

function sayOnce(): (line: string) => void {
  const said = new Set<string>();
  return (line) => {
    if (said.has(line)) return;
    said.add(line);
    console.error(line);
  };
}
