import type { Observer, WarningCode } from './observer.ts';

/** A caller that makes up event types without end must not fill the memory, or the log. */
const maxSites = 1_000;

/** Gives each warning once per call site, and not at all where the user said that it is meant so. */
export class Warnings {
  readonly #observe: Observer;
  readonly #silence: ReadonlySet<WarningCode>;
  readonly #given = new Set<string>();

  constructor(options: { observe: Observer; silence?: readonly WarningCode[] | undefined }) {
    this.#observe = options.observe;
    this.#silence = new Set(options.silence);
  }

  /**
   * @param site What the warning is about: a handler, an event type; the same one is not warned of twice.
   */
  once(code: WarningCode, site: string, message: string): void {
    const seen = `${code} ${site}`;
    if (this.#silence.has(code) || this.#given.has(seen)) return;
    if (this.#given.size >= maxSites) return;
    this.#given.add(seen);
    this.#observe({ kind: 'warning', code, message });
  }
}
