import { behindOthers } from './log-position.ts';
import type { Heads } from './log-appender.ts';
import type { LogPosition } from './log-position.ts';
import type { GroupStanding, LogStanding } from './log-standing.ts';

/** What a process knows of a group in one partition. */
interface Known {
  readonly committed: bigint;
  /** Everything below was handed out here. */
  readonly reached: bigint;
  readonly last: { readonly offset: bigint; readonly eventId: string } | undefined;
}

/** A partition in which the database is older than what this process has seen of it. */
export interface Loss {
  readonly partition: number;
  /** Events from here on are gone, as far as can be told. */
  readonly from: bigint;
  /** The offset behind the last of them; equal to `from` where the group alone went back. */
  readonly until: bigint;
}

/**
 * What a consumer remembers of its group from tenure to tenure, to see whether the database has gone back: it was
 * restored, wiped, or a replica took over that was behind.
 */
export class LogMemory {
  readonly #known = new Map<number, Known>();
  readonly #handed = new Map<number, bigint>();
  #token: string | undefined;
  /** How often the log had become shorter when it was compared last. */
  #falls: number;
  #aliveAt: number | undefined;

  /** @param falls How often the log had become shorter before this consumer began. */
  constructor(falls: number) {
    this.#falls = falls;
  }

  /** When the group was seen last in the database that it is in, in seconds by its clock. */
  get aliveAt(): number | undefined {
    return this.#aliveAt;
  }

  /** What may have been handed out before the database went back, by partition: everything below. */
  get handed(): Heads {
    return this.#handed;
  }

  /** The offsets of the youngest rows that were read here. */
  get lastOffsets(): Map<number, bigint> {
    const offsets = new Map<number, bigint>();
    for (const [partition, { last }] of this.#known) if (last) offsets.set(partition, last.offset);
    return offsets;
  }

  /** Takes note that the group is there, and owned by somebody. */
  seen(aliveAt: number): void {
    this.#aliveAt = aliveAt;
  }

  /** Takes note of where a tenure has come to. */
  remember(positions: Iterable<LogPosition>, token: string): void {
    this.#token = token;
    for (const { partition, committed, reached, ownMark } of positions) {
      const last = ownMark.last ?? this.#known.get(partition)?.last;
      this.#known.set(partition, { committed, reached, last });
    }
  }

  /** @throws {EventError} `CURSOR_FOREIGN` if the log was filled anew under a group that has stayed where it was. */
  assertSameRows(group: string, { partitions }: GroupStanding): void {
    for (const { partition, group: at, eventId } of partitions) {
      const last = this.#known.get(partition)?.last;
      if (!last || eventId === undefined || eventId === last.eventId) continue;
      // Whoever has claimed it since, or put it back, was where it is now.
      if (!at || at.token !== this.#token || at.fetched <= last.offset) continue;
      throw behindOthers(group, { partition, at: at.fetched, eventId: last.eventId });
    }
  }

  /**
   * Finds where the database is older than what is remembered, and takes what it says from now on.
   *
   * @param log How often the log has become shorter, and how long it has been.
   */
  compare(
    { partitions, wasOwned }: GroupStanding,
    log: { readonly falls: number; readonly longest: Heads },
  ): Loss[] {
    const hasFallen = log.falls !== this.#falls;
    this.#falls = log.falls;
    const losses: Loss[] = [];
    for (const standing of partitions) {
      const { partition } = standing;
      const known = this.#known.get(partition);
      const longest = (hasFallen && log.longest.get(partition)) || 0n;
      // Somebody else may have been handed what this consumer was not.
      this.#note(partition, longest);
      const loss = lossIn(standing, { known, longest, wasOwned });
      if (!loss) continue;
      losses.push(loss);
      this.#note(partition, loss.until);
      this.#forget(standing);
    }
    return losses;
  }

  /** Takes note that the group was claimed, and knows what it may have been handed. */
  claimed(aliveAt: number): void {
    this.#handed.clear();
    this.#aliveAt = aliveAt;
  }

  #note(partition: number, handed: bigint): void {
    if (handed > (this.#handed.get(partition) ?? 0n)) this.#handed.set(partition, handed);
  }

  #forget({ partition, group, end }: LogStanding): void {
    const { committed = 0n, handed = 0n } = group ?? {};
    const last = this.#known.get(partition)?.last;
    const reached = handed < end ? handed : end;
    this.#known.set(partition, { committed, reached, last });
  }
}

function lossIn(
  { partition, end, group }: LogStanding,
  before: {
    readonly known: Known | undefined;
    readonly longest: bigint;
    readonly wasOwned: boolean;
  },
): Loss | undefined {
  const { known, longest, wasOwned } = before;
  const { committed, reached } = known ?? { committed: 0n, reached: 0n };
  const until = longest > reached ? longest : reached;
  if (end < until) return { partition, from: end, until };
  // Somebody lets the group begin anew: they delete its rows, and not those of its owner.
  if (!group && wasOwned) return undefined;
  // The log has grown again. What the group was handed in the state that was put back is still the same.
  const { handed, committed: from } = group ?? { handed: 0n, committed: 0n };
  if (handed < reached) return { partition, from: handed, until: reached };
  return from < committed ? { partition, from, until: from } : undefined;
}
