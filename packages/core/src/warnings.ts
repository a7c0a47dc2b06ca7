import { observeAll, type Logger, type Observer, type WarningCode } from './observer.ts';

/** A caller that makes up event types without end must not fill the memory, or the log. */
const maxSites = 1_000;

/** Gives each warning once per call site, and not at all where the user said that it is intended. */
export class Warnings {
  readonly #observe: Observer;
  readonly #logger: Logger;
  readonly #intended: ReadonlySet<WarningCode>;
  readonly #given = new Set<string>();

  constructor(options: { observe: Observer; logger: Logger; intended?: readonly WarningCode[] }) {
    this.#observe = options.observe;
    this.#logger = options.logger;
    this.#intended = new Set(options.intended);
  }

  /**
   * @param site What the warning is about: a handler, an event type; the same one is not warned of twice.
   */
  once(code: WarningCode, site: string, message: string): void {
    const seen = `${code} ${site}`;
    if (this.#intended.has(code) || this.#given.has(seen)) return;
    if (this.#given.size >= maxSites) return;
    this.#given.add(seen);
    this.#observe({ kind: 'warning', code, message });
    this.#logger.warn({ code, site }, message);
  }
}

/**
 * What a bus gives its transport, which has no logger of its own: tells the observer, and writes for people
 * what they have to know, warnings and losses.
 */
export function alsoLogged(
  observer: Observer | undefined,
  choices: { logger?: Logger; intended?: readonly WarningCode[] } | undefined,
): Observer | undefined {
  const logger = choices?.logger;
  const intended = choices?.intended ?? [];
  if (!logger) return observer;
  const log: Observer = (seen) => {
    if (seen.kind === 'warning' && !intended.includes(seen.code)) {
      logger.warn({ code: seen.code }, seen.message);
    } else if (seen.kind === 'lost') {
      const { stream, group = 'any group', after, until } = seen;
      const what = after === undefined ? until : `what lay behind ${after}, up to ${until}`;
      logger.error(seen, `${stream} has lost ${what}, which ${group} had not finished`);
    }
  };
  return observeAll(observer ? [observer, log] : [log]);
}
