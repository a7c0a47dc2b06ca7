import type { Clock } from '../clock.ts';
import { EventError } from '../errors.ts';

export interface TroubleSourcesOptions {
  /** Told an error while any source is in trouble, and `undefined` when none is any more. */
  readonly onTrouble: ((error: unknown) => void) | undefined;
  readonly clock: Clock;
  /** Kind of transport, for the words of what gives no answer. */
  readonly transport: string;
}

/** How long a server may be silent before that is trouble, in milliseconds: it is told within ten seconds. */
const patienceMs = 5_000;

/** What may keep a consumer from getting on, each on its own: reading, committing, signs of life. */
export class TroubleSources {
  readonly #options: TroubleSourcesOptions;
  readonly #errors = new Map<TroubleSource, unknown>();
  #ended = false;

  constructor(options: TroubleSourcesOptions) {
    this.#options = options;
  }

  /** One more source, which is not in trouble yet. */
  source(): TroubleSource {
    const { clock, transport } = this.#options;
    const source: TroubleSource = new TroubleSource({
      clock,
      transport,
      onFailed: (error) => {
        this.#errors.set(source, error);
        this.#tell(error);
      },
      onGotOn: () => {
        this.#errors.delete(source);
        this.#tell([...this.#errors.values()].at(-1));
      },
    });
    return source;
  }

  /** Tells nothing any more: the consumer has closed. */
  end(): void {
    this.#ended = true;
  }

  #tell(error: unknown): void {
    if (!this.#ended) this.#options.onTrouble?.(error);
  }
}

interface SourceOptions extends Omit<TroubleSourcesOptions, 'onTrouble'> {
  readonly onFailed: (error: unknown) => void;
  readonly onGotOn: () => void;
}

/** One thing that a consumer tries again and again. */
export class TroubleSource {
  readonly #options: SourceOptions;
  #inTrouble = false;

  /** Made by `TroubleSources.source`. */
  constructor(options: SourceOptions) {
    this.#options = options;
  }

  /** A try has failed, and is followed by another. */
  failed(error: unknown): void {
    this.#inTrouble = true;
    this.#options.onFailed(error ?? new Error('an unknown failure'));
  }

  /** A try has succeeded, or there is nothing to try any more. */
  gotOn(): void {
    if (!this.#inTrouble) return;
    this.#inTrouble = false;
    this.#options.onGotOn();
  }

  /**
   * Watches one call to a server that sets it no time: it is trouble before it has failed if it has no end
   * for too long, and none any more if it succeeds. A failure is for the caller to tell, who knows what
   * becomes of it.
   */
  async watch<T>(work: () => Promise<T>): Promise<T> {
    const { clock } = this.#options;
    const cancel = clock.schedule(patienceMs, () => this.failed(this.#silence()));
    try {
      const result = await work();
      this.gotOn();
      return result;
    } finally {
      cancel();
    }
  }

  #silence(): EventError {
    const { transport } = this.#options;
    return new EventError(
      'TRANSPORT_UNAVAILABLE',
      `${transport} has given no answer for ${patienceMs} ms; it is waited for`,
      { transport },
    );
  }
}
