import type { EventEnvelope } from '../envelope.ts';
import type { HandlerContext } from '../handler.ts';
import { runInScope } from '../handler-scope.ts';
import type { Logger } from '../observer.ts';
import { PendingWork } from '../pending-work.ts';
import type { Invocation, Step } from './step.ts';

/** Calls the handler itself, so that the calls it makes of the library know its event and transaction. */
export function invoke(options: { group: string | null; logger: Logger }): Step {
  const { group, logger } = options;
  return async (event, invocation) => {
    const { registration, progress, tx, afterCommit } = invocation;
    const context = contextOf(event, invocation, group, logger);
    const begun = new PendingWork();
    progress.entered = true;
    // What the handler does to its event must not change what follows from it.
    const scope = { event: { ...event }, tx, afterCommit, waitFor: begun.add };
    try {
      await runInScope(scope, () => registration.handler(event, context));
    } finally {
      await begun.ended();
    }
  };
}

function contextOf(
  event: EventEnvelope,
  { registration, delivery, attempt, signal, tx }: Invocation,
  group: string | null,
  logger: Logger,
): HandlerContext {
  return {
    group,
    handler: registration.name,
    correlationId: event.correlationId,
    causationId: event.causationId,
    attempt: { number: attempt, delivery: delivery.deliveryCount },
    signal,
    ...(tx ? { tx } : {}),
    key: delivery.message.key,
    coordinates: delivery.coordinates,
    logger,
  };
}
