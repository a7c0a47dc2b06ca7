const maxCount = 500;
/** About the most that one read may bring, in UTF-16 units. */
const maxReadSize = 8 * 1024 * 1024;
/** Fewer are not worth a read of their own while others are handled. */
const leastAhead = 50;

/** How many entries to ask for. COUNT is for each stream, so a read may bring more than there is room for. */
export class ReadSize {
  maxInFlight: number;
  /** Of the last read that brought something. */
  #busyStreams = 1;
  #entrySize = 1;

  constructor(maxInFlight: number) {
    this.maxInFlight = maxInFlight;
  }

  /**
   * Half of what may be in flight is handled while the other half is read.
   *
   * @param room How many more are wanted, 1 or more.
   * @param streams How many streams are read at once.
   */
  count(room: number, streams: number): number {
    const ahead = Math.max(this.maxInFlight / 2, leastAhead);
    const wanted = Math.floor(Math.min(room, ahead) / this.#busyStreams);
    const bearable = Math.floor(maxReadSize / this.#entrySize / streams);
    return Math.max(1, Math.min(wanted, bearable, maxCount));
  }

  /**
   * Learns from a read.
   *
   * @param size Of all entries together, in UTF-16 units.
   */
  note({ streams, entries, size }: { streams: number; entries: number; size: number }): void {
    this.#busyStreams = streams;
    this.#entrySize = Math.max(1, size / entries);
  }
}
