import type { Clock } from '../clock.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';
import type { EventError } from '../errors.ts';
import { untilStarted } from '../first-start.ts';
import type { HandlerRegistry } from './handler-registry.ts';
import type { Intake } from './intake.ts';
import type { KeptWork } from './kept-work.ts';
import type { RetryBacklog } from './retry-backlog.ts';
import { groupStopping } from '../stopping.ts';
import type { TroubleReporter } from '../trouble.ts';

export interface OpenIntakeOptions {
  readonly options: ConsumerGroupOptions;
  readonly worker: string;
  readonly handlers: HandlerRegistry;
  readonly backlog: RetryBacklog;
  readonly intake: Intake;
  readonly kept: KeptWork | undefined;
  readonly trouble: TroubleReporter;
  readonly clock: Clock;
  /** Ends the waiting for servers that are away. */
  readonly signal: AbortSignal;
}

/**
 * Registers a group and subscribes for it; waits for servers that are away, or not ready yet.
 *
 * @returns A promise that tells how the consumer ends.
 * @throws What does not pass by itself; `STOPPING` if `signal` was aborted meanwhile.
 */
export async function openIntake(given: OpenIntakeOptions): ReturnType<Intake['open']> {
  const { signal, intake, options } = given;
  const { group, transport, predecessor } = options;
  const stopped = (): EventError => groupStopping(group, 'was stopped while it started');
  await predecessor;
  try {
    const whom = transport.destination;
    const opened = await untilStarted(() => tryToOpen(given), { ...given, whom });
    if (!signal.aborted) return opened;
  } catch (error) {
    throw signal.aborted ? stopped() : error;
  }
  await intake.close();
  throw stopped();
}

async function tryToOpen(given: OpenIntakeOptions): ReturnType<Intake['open']> {
  const { options, worker, intake, kept, handlers, backlog } = given;
  const { group, transport, transactions, start = 'earliest' } = options;
  // A database that is away, or refuses its user, is to be heard of before the first event waits for it.
  await transactions?.run(async () => {});
  await transport.connect();
  await kept?.register();
  const judgement = kept?.handovers;
  return await intake.open(transport, {
    ...(judgement ? { judgement } : {}),
    group,
    patterns: handlers.patterns,
    start,
    maxInFlight: backlog.allowed,
    worker,
  });
}
