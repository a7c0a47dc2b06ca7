import { EventError } from '../errors.ts';
import type { EncodedEvent } from '../event/message.ts';
import { wantedTransaction } from '../handler-scope.ts';
import { SharedOpening } from '../shared-opening.ts';
import type { TransactionChoice } from '../transaction.ts';
import type { PublishOutcome } from '../transport/publish-outcome.ts';
import type { TroubleReporter } from '../trouble.ts';
import type { EventSender } from './event-sender.ts';

export interface DirectPublishingOptions {
  readonly sender: EventSender;
  readonly trouble: TroubleReporter;
  /** Told when events leave a handler's transaction, which may still be rolled back. */
  readonly onNotDurable: () => void;
}

/** Sends events at once: without a store nothing can wait for a commit, and nobody but the caller can try again. */
export class DirectPublishing {
  readonly #options: DirectPublishingOptions;
  readonly #connection: SharedOpening<void>;

  constructor(options: DirectPublishingOptions) {
    this.#options = options;
    this.#connection = new SharedOpening(() => options.sender.connect());
  }

  /**
   * @returns For each event whether it is on its way, in the order given.
   * @throws {EventError} `CAPABILITY_MISSING` if it is to join a transaction of the caller's.
   */
  async send(
    checked: readonly EncodedEvent[],
    options?: TransactionChoice,
  ): Promise<readonly PromiseSettledResult<unknown>[]> {
    if (options?.tx) throw this.#cannotJoin();
    if (wantedTransaction(options)) this.#options.onNotDurable();
    const { sender, trouble } = this.#options;
    const answered = trouble.asked(sender.transport.destination);
    try {
      // With the first publish, and again if that failed.
      await this.#connection.open();
      const outcomes = await sender.publishEncoded(checked);
      const failed = outcomes.find((outcome) => outcome.status !== 'accepted');
      if (failed?.error.retryable) trouble.begin(failed.error);
      else trouble.end();
      return outcomes.map(settledAs);
    } catch (reason) {
      trouble.begin(reason);
      return checked.map(() => ({ status: 'rejected', reason }));
    } finally {
      answered();
    }
  }

  #cannotJoin(): EventError<'CAPABILITY_MISSING'> {
    const transport = this.#options.sender.transport.name;
    return new EventError(
      'CAPABILITY_MISSING',
      'a publisher without a store cannot publish in a transaction; give it a store',
      { transport, capability: 'transactions' },
    );
  }
}

function settledAs(outcome: PublishOutcome): PromiseSettledResult<unknown> {
  if (outcome.status === 'accepted') return { status: 'fulfilled', value: outcome };
  return { status: 'rejected', reason: outcome.error };
}
