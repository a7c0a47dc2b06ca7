import { assertName } from '@waybill/core/adapter';

/** The names of everything that this package keeps in Redis. A first segment of a type never begins with a colon. */
export class StreamNames {
  readonly prefix: string;
  /** Set: every stream that was ever used. */
  readonly streams: string;
  /** Set: groups that take every stream, also one that does not exist yet. */
  readonly openGroups: string;
  /** Text: the mark that tells this server from another one under the same name. */
  readonly marker: string;
  readonly #ofType = new Map<string, string>();

  /** @throws {TypeError} If the prefix cannot begin the name of a key that people type. */
  constructor(prefix: string) {
    assertName('streamPrefix', prefix);
    if (/[\s{}*?[\]\\"']/.test(prefix)) {
      throw new TypeError(
        `streamPrefix must have no space, quote, brace, bracket or wildcard in it, got ${JSON.stringify(prefix)}`,
      );
    }
    this.prefix = prefix;
    this.streams = `${prefix}:streams`;
    this.openGroups = `${prefix}:open-groups`;
    this.marker = `${prefix}:marker`;
  }

  /** Hash: the registry of a group, what its instances handle. */
  registryOf(group: string): string {
    return `${this.prefix}:handlers:${group}`;
  }

  /** The stream that carries a type: the prefix and the first segment of the type. */
  streamOf(eventType: string): string {
    const known = this.#ofType.get(eventType);
    if (known !== undefined) return known;
    const dot = eventType.indexOf('.');
    const stream = this.prefix + (dot < 0 ? eventType : eventType.slice(0, dot));
    // Whoever makes up types without end must not fill the memory.
    if (this.#ofType.size < maxKnownTypes) this.#ofType.set(eventType, stream);
    return stream;
  }

  /**
   * The streams that patterns of types ask for.
   *
   * @returns Those that can be named; and whether there may be others, because a pattern begins with `*`.
   */
  streamsOf(patterns: readonly string[]): { named: string[]; open: boolean } {
    const first = patterns.map((pattern) => pattern.split('.', 1)[0]!);
    const named = first.filter((segment) => segment !== '*').map((name) => this.streamOf(name));
    return { named: [...new Set(named)], open: first.includes('*') };
  }
}

const maxKnownTypes = 1_000;

/** What names of streams begin with unless said otherwise. */
export const defaultStreamPrefix = 'waybill:events:';
