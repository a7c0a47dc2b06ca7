import { isEventError } from '@quickwms/events';
import { InputError } from '../input/input-error.ts';
import { readOptions } from '../options.ts';
import { services } from '../services/index.ts';
import { runService, type Wrapping } from './run-service.ts';
import { readServers } from './servers.ts';
import type { ServiceMessage } from './service-message.ts';

/** A service that cannot stop in order, because a server does not answer, ends like this. */
const longestStopMs = 15_000;

/** Runs the service that the command line names until it is told to stop, or whoever watches it is gone. */
export async function runAsProcess(wrap?: Wrapping): Promise<void> {
  const signal = listenForEnd();
  try {
    const [name = '', ...args] = process.argv.slice(2);
    const service = services.find((each) => each.name === name);
    if (!service) throw new InputError(`no such service: ${name}; there is ${namesOfServices()}`);
    const folders = { person: process.cwd(), process: process.cwd() };
    const { manifest, orders } = readOptions(args, folders);
    const servers = readServers(process.env);
    const job = { service, servers, manifest, orders, signal, tell: tellAbout(name) };
    await runService(wrap ? { ...job, wrap } : job);
  } catch (error) {
    // What was under way when it was told to stop may have been cut off.
    if (!signal.aborted) {
      const isPlain = error instanceof InputError || isEventError(error);
      console.error(isPlain ? error.message : error);
      process.exitCode = 1;
    }
  }
  if (process.connected) process.disconnect();
}

/**
 * Aborts when the service is to end. A terminal gives Ctrl-C to the watching process and to this one: then
 * that one decides. When it dies, however that happens, the channel to it closes.
 */
function listenForEnd(): AbortSignal {
  const end = new AbortController();
  const stop = () => {
    end.abort();
    setTimeout(() => process.exit(1), longestStopMs).unref();
  };
  process.once('SIGTERM', stop);
  if (process.send === undefined) {
    process.once('SIGINT', stop);
  } else {
    process.on('SIGINT', () => {});
    process.once('disconnect', stop);
    if (!process.connected) stop(); // it was gone before this listened
  }
  return end.signal;
}

function tellAbout(name: string): (message: ServiceMessage) => void {
  return (message) => {
    // Nobody to tell any more means that the end is near.
    if (process.send) process.send(message, undefined, undefined, () => {});
    else
      console.error(message.kind === 'ready' ? `${name} is ready; Ctrl-C ends it` : message.what);
  };
}

function namesOfServices(): string {
  return services.map(({ name }) => name).join(', ');
}
