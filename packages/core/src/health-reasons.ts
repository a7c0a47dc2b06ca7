import { messageOfThrown } from './thrown.ts';

export interface GroupHealth {
  readonly status: 'ok' | 'degraded' | 'failed';
  readonly reasons: readonly string[];
}

/** What keeps a group from getting on right now, in words for its health. */
export class HealthReasons {
  readonly #words = new Map<object, string>();
  #end: string | undefined;

  /** @param owner Who is held up; it has one reason at a time. */
  add(owner: object, words: string): void {
    this.#words.set(owner, words);
  }

  remove(owner: object): void {
    this.#words.delete(owner);
  }

  /** Says that nothing gets on any more: the consumer has ended by itself. */
  end(error: unknown): void {
    this.#end = `the consumer has ended: ${messageOfThrown(error)}`;
  }

  /** `failed` once the consumer has ended; else `degraded` while anybody is held up. */
  health(): GroupHealth {
    const reasons = this.#list();
    if (this.#end !== undefined) return { status: 'failed', reasons: [this.#end, ...reasons] };
    return { status: reasons.length > 0 ? 'degraded' : 'ok', reasons };
  }

  /** Each reason once, with how many share it. */
  #list(): string[] {
    const counts = new Map<string, number>();
    for (const words of this.#words.values()) counts.set(words, (counts.get(words) ?? 0) + 1);
    return [...counts].map(([words, count]) => (count === 1 ? words : `${words} (${count} times)`));
  }
}
