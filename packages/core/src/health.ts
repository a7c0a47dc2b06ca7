import { messageOfThrown } from './thrown.ts';

/** How a group, a subscriber or a publisher is getting on. */
export interface Health {
  /** `degraded` while anything is in the way; `failed` once it has ended by itself and nothing gets on any more. */
  readonly status: 'ok' | 'degraded' | 'failed';
  /** What is in the way, or is worth knowing though nothing is, in words for people, and since when. */
  readonly reasons: readonly string[];
}

interface Reason {
  readonly words: string;
  readonly sinceMs: number;
}

/** What keeps somebody from getting on right now, in words for its health. */
export class HealthReasons {
  readonly #now: () => number;
  readonly #reasons = new Map<object, Reason>();
  readonly #notes: Reason[] = [];
  #end: Reason | undefined;

  /** @param now Milliseconds since the epoch. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @param owner Who is held up; it has one reason at a time, since it had the first one. */
  add(owner: object, words: string): void {
    const sinceMs = this.#reasons.get(owner)?.sinceMs ?? this.#now();
    this.#reasons.set(owner, { words, sinceMs });
  }

  /** Says something for good that is no trouble by itself. */
  note(words: string): void {
    if (this.#notes.some((note) => note.words === words)) return;
    this.#notes.push({ words, sinceMs: this.#now() });
  }

  remove(owner: object): void {
    this.#reasons.delete(owner);
  }

  /** Says that nothing gets on any more: the consumer has ended by itself. */
  end(error: unknown): void {
    const words = `the consumer has ended: ${messageOfThrown(error)}`;
    this.#end = { words, sinceMs: this.#now() };
  }

  health(): Health {
    const troubles = this.#list();
    const reasons = [...troubles, ...this.#notes.map(shown)];
    if (this.#end) return { status: 'failed', reasons: [shown(this.#end), ...reasons] };
    return { status: troubles.length > 0 ? 'degraded' : 'ok', reasons };
  }

  /** Each reason once, with how many share it, and since when the first of them. */
  #list(): string[] {
    const shared = Map.groupBy(this.#reasons.values(), ({ words }) => words);
    return [...shared].map(([words, { length }]) => {
      const sinceMs = Math.min(...shared.get(words)!.map((each) => each.sinceMs));
      return shown({ words: length === 1 ? words : `${words} (${length} times)`, sinceMs });
    });
  }
}

/** The health of several together: the worst status, and every reason. */
export function jointHealth(parts: readonly Health[]): Health {
  const worst = (['failed', 'degraded'] as const).find((status) =>
    parts.some((part) => part.status === status),
  );
  return { status: worst ?? 'ok', reasons: parts.flatMap(({ reasons }) => reasons) };
}

function shown({ words, sinceMs }: Reason): string {
  return `${words}, since ${new Date(sinceMs).toISOString()}`;
}
