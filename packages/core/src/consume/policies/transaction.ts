import { maxTimerMs } from '../../clock.ts';
import { isEventError } from '../../errors.ts';
import type { Inbox } from '../inbox.ts';
import type { Observer } from '../../observer.ts';
import type { TransactionRunner } from '../../transaction.ts';
import { attemptLost } from './lost-connection.ts';
import { aboutInvocation, type Invocation, type Policy } from './step.ts';

/** The server waits this much longer than we do, so that our own timeout speaks first. */
const graceMs = 5_000;

/**
 * Runs an attempt in a transaction of its own, together with its inbox row: the effect and the memory
 * of it commit together or not at all. An event that is in the inbox is skipped. An attempt that lost its
 * connection is taken back: the inbox knows how it ended.
 */
export function transaction(options: {
  group: string;
  transactions: TransactionRunner;
  inbox: Inbox;
  observe: Observer;
}): Policy {
  const { group, transactions, inbox, observe } = options;
  return (next) => async (event, invocation) => {
    const { registration, identity, abort } = invocation;
    if (!registration.inbox) return next(event, invocation);
    const limitMs = Math.min(registration.timeoutMs + graceMs, maxTimerMs);
    const { name: handler, formerly } = registration;
    const key = { group, handler, formerly, source: identity.source, id: identity.id };
    const committed: (() => void)[] = [];
    const afterCommit = (run: () => void): void => void committed.push(run);
    let lost = false;
    const attempt = async (tx: object): Promise<void> => {
      await assertOurs(tx, invocation);
      if (await inbox.record(key, tx)) return next(event, { ...invocation, tx, afterCommit });
      observe({
        kind: 'duplicate-skipped',
        ...aboutInvocation(invocation, group),
      });
    };
    try {
      await transactions.run(attempt, {
        statementTimeoutMs: limitMs,
        idleTimeoutMs: limitMs,
        signal: abort,
        onLost: () => void (lost = true),
      });
    } catch (error) {
      throw lost ? attemptLost(error, invocation) : error;
    }
    for (const run of committed) run();
  };

  /** A former owner, frozen for a while, finds out here; its message is somebody else's by now. */
  async function assertOurs(tx: object, { delivery, giveUp }: Invocation): Promise<void> {
    try {
      await delivery.fence?.(tx);
    } catch (error) {
      if (isEventError(error, 'CLAIM_LOST')) {
        const { coordinates } = delivery;
        observe({ kind: 'stale-refused', group, what: 'handler transaction', coordinates });
        giveUp(error);
      }
      throw error;
    }
  }
}
