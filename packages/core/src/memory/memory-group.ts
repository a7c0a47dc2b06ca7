import type { GroupInspection } from '../transport/transport-inspection.ts';
import type { Message } from '../event/message.ts';

/** A message on its way through a group. */
export interface MemoryEntry {
  readonly index: number;
  readonly message: Message;
  /** How often it was handed out, this time included. */
  readonly deliveryCount: number;
  /** True if it was handed out and only waited. */
  isTakenBack?: boolean;
}

/** Who takes entries from a group. */
export interface MemoryTaker {
  readonly name: string;
  /** True while it may be handed one more. */
  readonly ready: boolean;
  hand(entry: MemoryEntry): void;
}

/** A consumer group: where it stands in the log, and what was handed out and not settled. */
export class MemoryGroup {
  readonly #log: readonly Message[];
  readonly #takers = new Set<MemoryTaker>();
  /** What was handed out and not settled, and who has it. */
  readonly #handedOut = new Map<MemoryEntry, MemoryTaker>();
  /** Given up by consumers that closed, oldest first. */
  #givenUp: MemoryEntry[] = [];
  #next: number;
  #awake = false;

  /** @param first Index of the first message that the group gets. */
  constructor(log: readonly Message[], first: number) {
    this.#log = log;
    this.#next = first;
  }

  join(taker: MemoryTaker): void {
    this.#takers.add(taker);
    this.wake();
  }

  /** Takes a consumer out, together with what it did not settle; the next one gets that. */
  leave(taker: MemoryTaker): void {
    this.#takers.delete(taker);
    for (const [entry, holder] of this.#handedOut) {
      if (holder !== taker) continue;
      this.#handedOut.delete(entry);
      this.#givenUp.push(entry);
    }
    this.#givenUp.sort((a, b) => a.index - b.index);
    this.wake();
  }

  settle(entry: MemoryEntry): void {
    this.#handedOut.delete(entry);
    this.wake();
  }

  /** Hands out what there is, soon; consumers are never called from within a call of theirs. */
  wake(): void {
    if (this.#awake) return;
    this.#awake = true;
    setImmediate(() => {
      this.#awake = false;
      this.#handOut();
    });
  }

  inspect(): Omit<GroupInspection, 'name' | 'lagSeconds'> {
    return {
      pending: this.#handedOut.size + this.#givenUp.length,
      lag: this.#log.length - this.#next,
      consumers: this.#takers.size,
      members: [...this.#takers].map((taker) => {
        const held = [...this.#handedOut.values()].filter((holder) => holder === taker);
        return { name: taker.name, pending: held.length };
      }),
    };
  }

  /** Index of the oldest message that is not finished; the length of the log if all are. */
  get oldestUnfinished(): number {
    const delivered = [...this.#handedOut.keys(), ...this.#givenUp].map(({ index }) => index);
    return delivered.reduce((oldest, index) => Math.min(oldest, index), this.#next);
  }

  /** One entry for each consumer in turn, until there are no more entries or nobody is ready. */
  #handOut(): void {
    for (let handed = true; handed;) {
      handed = false;
      for (const taker of this.#takers) {
        const entry = taker.ready ? this.#take() : undefined;
        if (!entry) continue;
        this.#handedOut.set(entry, taker);
        taker.hand(entry);
        handed = true;
      }
    }
  }

  /** What was given up goes first, or a key's older message would come after its younger ones. */
  #take(): MemoryEntry | undefined {
    const again = this.#givenUp.shift();
    if (again) return handedOutAgain(again);
    const message = this.#log[this.#next];
    if (!message) return undefined;
    this.#next += 1;
    return { index: this.#next - 1, message, deliveryCount: 1 };
  }
}

/** What was taken back was handed out all the same: it counts once, however often. */
function handedOutAgain({ index, message, deliveryCount, isTakenBack }: MemoryEntry): MemoryEntry {
  const counted = isTakenBack ? Math.max(deliveryCount - 1, 1) : deliveryCount;
  return { index, message, deliveryCount: counted + 1 };
}
