import type { EventEnvelope } from '../envelope.ts';
import type { HandlerContext } from '../handler.ts';
import { runInScope, type HandlerScope } from '../handler-scope.ts';
import type { Logger } from '../observer.ts';
import { PendingWork } from '../pending-work.ts';
import type { Invocation, Step } from './step.ts';

/** Calls the handler itself, so that the calls it makes of the library know its event and transaction. */
export function invoke(options: { group: string | null; logger: Logger }): Step {
  const { group, logger } = options;
  return async (event, invocation) => {
    const { registration, progress, tx, afterCommit } = invocation;
    const context = contextOf(event, invocation, group, logger);
    let begun: PendingWork | undefined;
    progress.entered = true;
    const scope = {
      event: originOf(event),
      tx,
      afterCommit,
      waitFor: (work: Promise<unknown>) => (begun ??= new PendingWork()).add(work),
    };
    try {
      await runInScope(scope, () => registration.handler(event, context));
    } finally {
      await begun?.ended();
    }
  };
}

/** A copy: what the handler does to its event must not change what follows from it. */
function originOf(event: EventEnvelope): HandlerScope['event'] {
  const { id, correlationId, traceparent, tracestate } = event;
  return { id, correlationId, traceparent, tracestate };
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
