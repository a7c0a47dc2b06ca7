import { isEventError } from '../errors.ts';
import type { EncodedEvent } from '../event/message.ts';
import { chosenTransaction, currentScope, wantedTransaction } from '../handler-scope.ts';
import { partitionOf } from '../partition.ts';
import type { TransactionChoice } from '../transaction.ts';
import { isWaitedOut } from '../waited-out.ts';
import { GroupCommit } from './group-commit.ts';
import type { PublishingStore } from './publisher-options.ts';

const maxGroupSize = 500;

export interface StoredPublishingOptions {
  readonly store: PublishingStore;
  /** Where a relay is to bring the events. */
  readonly destination: string;
  /** Told after a commit which partitions of the outbox have something new. */
  readonly onCommitted: (partitions: ReadonlySet<number>) => void;
  /** Told when events cannot join the transaction around them, which is on another database. */
  readonly onElsewhere: () => void;
}

/** Commits events together with their outbox rows; a relay brings them to the transport. */
export class StoredPublishing {
  readonly #options: StoredPublishingOptions;
  readonly #commits: GroupCommit<EncodedEvent, void>;

  constructor(options: StoredPublishingOptions) {
    this.#options = options;
    this.#commits = new GroupCommit({
      flush: (items) => this.#commitGroup(items),
      maxItems: maxGroupSize,
      isItemFault: (error) => isEventError(error) && !isWaitedOut(error),
    });
  }

  /** @returns For each event whether it is on its way, in the order given. */
  async send(
    checked: readonly EncodedEvent[],
    options?: TransactionChoice,
  ): Promise<readonly PromiseSettledResult<unknown>[]> {
    const { store, onElsewhere } = this.#options;
    const choosing = chosenTransaction(options, store.transactions);
    const tx = choosing instanceof Promise ? await choosing : choosing;
    if (!tx && wantedTransaction(options)) onElsewhere();
    if (!tx) return await this.#commit(checked);
    const [outcome] = await Promise.allSettled([this.#joinTransaction(tx, checked)]);
    return checked.map(() => outcome);
  }

  /** Adds to a transaction that commits later; the scope, or else the relay's next poll, sees to the rest. */
  async #joinTransaction(tx: object, checked: readonly EncodedEvent[]): Promise<void> {
    await this.#appendAndAdd(tx, checked);
    const scope = currentScope();
    const { onCommitted } = this.#options;
    if (scope?.tx === tx) scope.afterCommit(() => onCommitted(partitionsOf(checked)));
  }

  /** Commits each on its own account, in the order given, together with whatever waits. */
  async #commit(
    checked: readonly EncodedEvent[],
  ): Promise<readonly PromiseSettledResult<unknown>[]> {
    this.#options.store.transactions.assertFree?.();
    return await Promise.allSettled(checked.map((item) => this.#commits.add(item)));
  }

  async #commitGroup(checked: readonly EncodedEvent[]): Promise<void[]> {
    const { store, onCommitted } = this.#options;
    await store.transactions.run((tx) => this.#appendAndAdd(tx, checked), { holds: 'briefly' });
    onCommitted(partitionsOf(checked));
    return checked.map(() => undefined);
  }

  async #appendAndAdd(tx: object, checked: readonly EncodedEvent[]): Promise<void> {
    const { store, destination } = this.#options;
    const messages = checked.map(({ message }) => message);
    const route = { destination, keys: messages.map(({ key }) => key) };
    await store.appendBatch(
      checked.map(({ event }) => event),
      { tx, route },
    );
    await store.outbox.add(messages, { tx, destination });
  }
}

/** The partitions of the outbox that these events are in. */
function partitionsOf(checked: readonly EncodedEvent[]): Set<number> {
  return new Set(checked.map(({ message }) => partitionOf(message.key)));
}

/** What is said when a service publishes in a transaction that its events cannot join. */
export function elsewhere(serviceName: string): string {
  return `${serviceName} publishes in a transaction of another database than its store's: events commit by themselves, even if that is rolled back. Use one database, or say silence: ['TX_ELSEWHERE']`;
}
