import type { TransactionRunner } from '../transaction.ts';
import type { DeadLetterQueue } from './dead-letter-queue.ts';
import type { HandoverQueue } from '../transport/handover-queue.ts';
import type { Inbox } from './inbox.ts';
import type { Pruner } from './pruner.ts';

/** One database with everything that a subscriber keeps in it. */
export interface ConsumerDatabase {
  /** Runs the transactions that handlers and inbox share. */
  readonly transactions: TransactionRunner;
  readonly inbox: Inbox;
  readonly deadLetters: DeadLetterQueue;
  /** Keeps what other instances of a group are to handle. */
  readonly handovers?: HandoverQueue;
  /** Deletes what is no longer needed, while groups run. */
  readonly pruner?: Pruner;
}
