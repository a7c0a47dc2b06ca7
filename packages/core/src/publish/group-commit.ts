import { runOutsideScope } from '../handler-scope.ts';

/** How a queue of single calls becomes one call at a time. */
export interface GroupCommitOptions<Item, Result> {
  /** Writes all items or none, and returns one result per item, in the same order. */
  flush(items: readonly Item[]): Promise<readonly Result[]>;
  /** Most items in one flush, 1 or more. */
  maxItems: number;
  /**
   * Says whether an error may be the fault of single items. The group is then split until the guilty
   * ones are alone, so that one refused item does not fail its neighbours.
   */
  isItemFault(error: unknown): boolean;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Groups concurrent single writes: whatever queued while a flush was under way goes as the next one.
 *
 * A lone write goes at once, no timer involved. One flush runs at a time, so items are written in the
 * order in which they were added.
 */
export class GroupCommit<Item, Result> {
  readonly #options: GroupCommitOptions<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #running: Promise<void> | undefined;

  constructor(options: GroupCommitOptions<Item, Result>) {
    this.#options = options;
  }

  /** Queues one item. @returns Its own result. @throws What `flush` threw for it. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#running ??= runOutsideScope(() => this.#run());
    });
  }

  /** Resolves when everything added so far has been written or refused. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    // One turn of the microtask queue lets the callers of this tick into the first group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      await this.#write(this.#waiting.splice(0, this.#options.maxItems));
    }
    this.#running = undefined;
  }

  async #write(group: readonly Waiting<Item, Result>[]): Promise<void> {
    let results: readonly Result[];
    try {
      results = await this.#options.flush(group.map(({ item }) => item));
    } catch (error) {
      await this.#refuse(group, error);
      return;
    }
    if (results.length !== group.length) {
      // Whose result is missing cannot be known, and writing again would write twice.
      const message = `flush returned ${results.length} results for ${group.length} items`;
      rejectAll(group, new TypeError(message));
      return;
    }
    for (const [index, { resolve }] of group.entries()) resolve(results[index]!);
  }

  async #refuse(group: readonly Waiting<Item, Result>[], error: unknown): Promise<void> {
    if (group.length === 1 || !this.#isItemFault(error)) {
      rejectAll(group, error);
      return;
    }
    const middle = group.length >> 1;
    await this.#write(group.slice(0, middle));
    await this.#write(group.slice(middle));
  }

  #isItemFault(error: unknown): boolean {
    try {
      return this.#options.isItemFault(error);
    } catch {
      // An error that cannot even be judged must not leave everybody waiting.
      return false;
    }
  }
}

function rejectAll(
  group: readonly { readonly reject: (error: unknown) => void }[],
  error: unknown,
): void {
  for (const { reject } of group) reject(error);
}
