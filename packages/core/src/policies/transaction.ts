import type { Inbox } from '../inbox.ts';
import type { Observer } from '../observer.ts';
import type { TransactionRunner } from '../transaction.ts';
import type { Policy } from './step.ts';

/** The server waits this much longer than we do, so that our own timeout speaks first. */
const graceMs = 5_000;

/**
 * Runs an attempt in a transaction of its own, together with its inbox row: the effect and the memory
 * of it commit together or not at all. An event that is in the inbox is skipped.
 */
export function transaction(options: {
  group: string;
  transactions: TransactionRunner;
  inbox: Inbox;
  observe: Observer;
}): Policy {
  const { group, transactions, inbox, observe } = options;
  return (next) => async (event, invocation) => {
    const { registration, delivery, signal } = invocation;
    if (!registration.inbox) return next(event, invocation);
    const limitMs = registration.timeoutMs + graceMs;
    const key = { group, handler: registration.name, source: event.source, id: event.id };
    const committed: (() => void)[] = [];
    const afterCommit = (run: () => void): void => void committed.push(run);
    await transactions.run(
      async (tx) => {
        await delivery.fence?.(tx);
        if (await inbox.record(key, tx)) return next(event, { ...invocation, tx, afterCommit });
        observe({
          kind: 'duplicate-skipped',
          group,
          handler: registration.name,
          eventId: event.id,
        });
      },
      { statementTimeoutMs: limitMs, idleTimeoutMs: limitMs, signal },
    );
    for (const run of committed) run();
  };
}
