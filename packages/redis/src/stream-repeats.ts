import type { TakenEntry } from './claim-scripts.ts';
import { compareIds, laterId, zeroId } from './entry-id.ts';
import type { RedisCall } from './redis-script.ts';
import { lastIdOf } from './stream-group.ts';
import type { StreamSources } from './stream-sources.ts';

/**
 * Tells which entries may have been handed out before, although Redis counts their first delivery: a
 * server that was away, or a group that had vanished, comes back without what it knew last.
 */
export class StreamRepeats {
  readonly #call: RedisCall;
  readonly #sources: StreamSources;
  /** The youngest entry of each stream when Redis was back. */
  readonly #forgotten = new Map<string, string>();
  #isInDoubt = false;

  constructor(call: RedisCall, sources: StreamSources) {
    this.#call = call;
    this.#sources = sources;
  }

  /** Takes note that Redis may have forgotten deliveries: whatever is in the streams may come again. */
  doubt(): void {
    this.#isInDoubt = true;
  }

  /** Looks, if in doubt, what the streams hold: done before a read, so that what comes later is new. */
  async look(): Promise<void> {
    if (!this.#isInDoubt) return;
    this.#isInDoubt = false;
    try {
      for (const { stream } of this.#sources.all) {
        this.#forgotten.set(stream, await lastIdOf(this.#call, stream));
      }
    } catch (error) {
      this.#isInDoubt = true;
      throw error;
    }
  }

  /** Whether each of some entries of a stream, oldest first, may have been handed out before. */
  async among(stream: string, entries: readonly TakenEntry[]): Promise<boolean[]> {
    await this.look();
    const upTo = laterId(this.#sources.lastRead(stream), this.#forgotten.get(stream) ?? zeroId);
    // Nearly always all of them are younger.
    const isAnew = entries.length === 0 || compareIds(entries[0]![0], upTo) > 0;
    return entries.map(([id, count]) => count > 1 || !(isAnew || compareIds(id, upTo) > 0));
  }
}
