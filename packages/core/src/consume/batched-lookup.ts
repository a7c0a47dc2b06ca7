import { runOutsideScope } from '../handler-scope.ts';

/** A question that nobody has answered yet. */
interface Waiting<Question, Answer> {
  readonly question: Question;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * Asks together what is asked at the same time: after a crash or a takeover repeated deliveries come by the
 * hundred, and a look-up for each would hold them all up.
 *
 * One call is under way at a time. What is asked meanwhile goes as the next.
 */
export class BatchedLookup<Question, Answer> {
  readonly #ask: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  readonly #most: number;
  readonly #waiting: Waiting<Question, Answer>[] = [];
  #running = false;

  /** @param ask Answers up to `most` questions, in the order given. */
  constructor(ask: (questions: readonly Question[]) => Promise<readonly Answer[]>, most: number) {
    this.#ask = ask;
    this.#most = most;
  }

  /** The answer to one question. @throws What `ask` throws. */
  find(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject });
      if (this.#running) return;
      this.#running = true;
      // Not at once: whatever else comes in this turn goes with it. Nor as a part of the one delivery
      // that happens to be first.
      runOutsideScope(() => setImmediate(() => void this.#run()));
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) await this.#answer(this.#waiting.splice(0, this.#most));
    this.#running = false;
  }

  async #answer(asked: readonly Waiting<Question, Answer>[]): Promise<void> {
    try {
      const answers = await this.#ask(asked.map(({ question }) => question));
      for (const [index, { resolve }] of asked.entries()) resolve(answers[index]!);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
