import type { Clock } from '../../clock.ts';
import type { HealthReasons } from '../../health.ts';
import type { Outage } from '../outage.ts';
import type { Inbox } from '../inbox.ts';
import type { Logger, Observer, WarningCode } from '../../observer.ts';
import type { TransactionRunner } from '../../transaction.ts';
import type { Warnings } from '../../warnings.ts';
import { deadLetter, type DeadLetterRecorder } from './dead-letter.ts';
import { invoke } from './invoke.ts';
import { measure } from './measure.ts';
import { unlessRefused } from './refusal.ts';
import { retry } from './retry.ts';
import type { Policy, Step } from './step.ts';
import { timeout } from './timeout.ts';
import { transaction } from './transaction.ts';
import { validate } from './validate.ts';

/**
 * Puts the policies around a handler: dead letter, retry, validate, measure, timeout, transaction,
 * handler.
 *
 * @param options.once For a redrive: one attempt, whose outcome goes to the dead letter that it came
 *   from instead of a new one.
 */
export function policyChain(options: {
  group: string | null;
  once: boolean;
  recorder: DeadLetterRecorder | undefined;
  transactions: TransactionRunner | undefined;
  inbox: Inbox | undefined;
  slowMs: number;
  warnings: Warnings;
  /** Warnings that the handler means to be so. */
  silence: readonly WarningCode[];
  reasons: HealthReasons;
  clock: Clock;
  random: () => number;
  observe: Observer;
  logger: Logger;
  outage: Outage | undefined;
}): Step {
  const { once, recorder, transactions, inbox } = options;
  const shared = { ...options, group: options.group ?? '' };
  const policies: (Policy | undefined)[] = [
    once || !recorder ? undefined : deadLetter(recorder),
    retry(shared),
    unlessRefused(validate(options)),
    measure(shared),
    timeout(shared),
    transactions && inbox ? transaction({ ...shared, transactions, inbox }) : undefined,
  ];
  return policies
    .filter((policy) => policy !== undefined)
    .reduceRight((next, policy) => policy(next), invoke(options));
}
