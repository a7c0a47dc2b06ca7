import { laterId, zeroId } from './entry-id.ts';

/** What a consumer knows of one stream. */
export interface StreamSource {
  readonly stream: string;
  /** The youngest entry that was read from it. */
  lastRead: string;
  /** Up to where the whole group had settled everything when somebody looked last. */
  settledUpTo: string;
  /** Set while others may hold older entries of keys that we would read on with. */
  gate: StreamGate | undefined;
}

export interface StreamGate {
  /** The youngest entry that anybody held when we looked first. */
  upTo: string | undefined;
  /** When whoever still holds one has proved to be alive, by the clock of `performance`. */
  readonly aliveAtMs: number;
}

/** The streams of one consumer. */
export class StreamSources {
  readonly #sources = new Map<string, StreamSource>();
  readonly #claimMs: number;

  /** @param claimMs After this long without a sign of life others may take an entry, in milliseconds. */
  constructor(claimMs: number, streams: readonly string[]) {
    this.#claimMs = claimMs;
    for (const stream of streams) this.add(stream);
  }

  get all(): readonly StreamSource[] {
    return [...this.#sources.values()];
  }

  /** Names of those that may be read. */
  get readable(): string[] {
    return this.all.filter(({ gate }) => gate === undefined).map(({ stream }) => stream);
  }

  has(stream: string): boolean {
    return this.#sources.has(stream);
  }

  add(stream: string): void {
    const aliveAtMs = performance.now() + this.#claimMs;
    const gate: StreamGate = { upTo: undefined, aliveAtMs };
    this.#sources.set(stream, { stream, lastRead: zeroId, settledUpTo: zeroId, gate });
  }

  lastRead(stream: string): string {
    return this.#sources.get(stream)!.lastRead;
  }

  /** Takes note that the stream has lost what was read from it, and may begin with any id. */
  beginAnew(source: StreamSource): void {
    source.lastRead = zeroId;
    source.settledUpTo = zeroId;
  }

  noteRead(stream: string, entryId: string): void {
    const source = this.#sources.get(stream)!;
    source.lastRead = laterId(entryId, source.lastRead);
  }
}
