import { systemClock, type Clock } from '../clock.ts';
import { assertKnownOptions } from '../options.ts';
import { destinationChanged } from '../transport/destination-changed.ts';
import type { GroupStart } from '../transport/transport.ts';
import type { StreamInspection } from '../transport/transport-inspection.ts';
import type { Message } from '../event/message.ts';
import { ownMessage } from '../event/own-message.ts';
import { MemoryGroup } from './memory-group.ts';

/**
 * What several `MemoryTransport`s share, as connections share a server. It keeps every message for
 * as long as it lives.
 */
export class MemoryBroker {
  readonly #clock: Clock;
  readonly #log: Message[] = [];
  /** When each message was accepted, in milliseconds since the epoch. */
  readonly #acceptedAtMs: number[] = [];
  readonly #groups = new Map<string, MemoryGroup>();
  readonly #broadcasts = new Set<MemoryGroup>();

  /**
   * @param options.clock Tells when a message was accepted; the machine's own unless given.
   * @throws {TypeError} If an option is not known.
   */
  constructor(options: { clock?: Clock } = {}) {
    assertKnownOptions('MemoryBroker', options, ['clock']);
    this.#clock = options.clock ?? systemClock;
  }

  /** Tells this broker from others of the same name. */
  #marker: string | undefined;

  /** @returns The mark that it bears now. */
  mark(candidate: string): string {
    this.#marker ??= candidate;
    return this.#marker;
  }

  /** @throws {EventError} `DESTINATION_CHANGED` */
  assertMarker(destination: string, expected: string): void {
    const found = this.#marker ?? null;
    if (found !== expected) throw destinationChanged(destination, expected, found);
  }

  /** @returns The position of each message. */
  append(messages: readonly Message[]): string[] {
    const acceptedAtMs = this.#clock.now();
    const positions = messages.map((message) => {
      this.#acceptedAtMs.push(acceptedAtMs);
      return String(this.#log.push(frozenCopy(message)) - 1);
    });
    for (const group of this.#groups.values()) group.wake();
    for (const group of this.#broadcasts) group.wake();
    return positions;
  }

  /** The group of this name; a new one begins where `start` says. */
  group(name: string, start: GroupStart): MemoryGroup {
    const known = this.#groups.get(name);
    if (known) return known;
    const group = new MemoryGroup(this.#log, this.#firstOf(start));
    this.#groups.set(name, group);
    return group;
  }

  /** A group without a name, for one consumer alone; `forget` is called when the consumer closes. */
  broadcast(): { group: MemoryGroup; forget: () => void } {
    const group = new MemoryGroup(this.#log, this.#firstOf('latest'));
    this.#broadcasts.add(group);
    return { group, forget: () => void this.#broadcasts.delete(group) };
  }

  inspect(): StreamInspection {
    const groups = [...this.#groups].map(([name, group]) => ({
      name,
      ...group.inspect(),
      lagSeconds: this.#secondsSince(group.oldestUnfinished),
    }));
    return { name: 'memory', length: this.#log.length, groups };
  }

  /** How long ago a message was accepted; 0 for one that is not there yet. */
  #secondsSince(index: number): number {
    const nowMs = this.#clock.now();
    return Math.max(nowMs - (this.#acceptedAtMs[index] ?? nowMs), 0) / 1_000;
  }

  /** Index of the first message that a new group gets. */
  #firstOf(start: GroupStart): number {
    if (start === 'earliest') return 0;
    if (start === 'latest') return this.#log.length;
    const first = this.#acceptedAtMs.findIndex((ms) => ms >= start.getTime());
    return first === -1 ? this.#log.length : first;
  }
}

/** What the publisher does with its own object or bytes afterwards changes nothing. */
function frozenCopy(message: Message): Message {
  return Object.freeze({ ...ownMessage(message) });
}
