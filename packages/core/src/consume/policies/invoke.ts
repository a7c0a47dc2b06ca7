import type { EventEnvelope } from '../../event/envelope.ts';
import { runInScope, type HandlerScope } from '../../handler-scope.ts';
import type { Logger } from '../../observer.ts';
import { PendingWork } from '../../pending-work.ts';
import type { TransactionRunner } from '../../transaction.ts';
import { InvocationContext } from './invocation-context.ts';
import type { Step } from './step.ts';

/** Calls the handler itself, so that the calls it makes of the library know its event and transaction. */
export function invoke(options: {
  group: string | null;
  logger: Logger;
  transactions?: TransactionRunner | undefined;
}): Step {
  return async (event, invocation) => {
    const { registration, progress, tx, afterCommit, refusal } = invocation;
    if (refusal) throw refusal;
    const context = new InvocationContext(event, invocation, options);
    let begun: PendingWork | undefined;
    progress.entered = true;
    const scope = {
      event: originOf(event),
      tx,
      runner: options.transactions,
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
  const { id, correlationId, userId, traceparent, tracestate } = event;
  return { id, correlationId, userId, traceparent, tracestate };
}
