import { systemClock, type Clock } from '../clock.ts';
import { EventError } from '../errors.ts';
import { assertKnownOptions } from '../options.ts';
import { destinationChanged } from '../transport/destination-changed.ts';
import type { GroupStart } from '../transport/transport.ts';
import type { StreamInspection } from '../transport/transport-inspection.ts';
import type { Message } from '../event/message.ts';
import { ownMessage } from '../event/own-message.ts';
import { MemoryGroupRegistry } from './memory-group-registry.ts';
import { MemoryHandoverQueue } from './memory-handover-queue.ts';
import { MemoryGroup } from './memory-group.ts';

/**
 * What several `MemoryTransport`s share, as connections share a server. It keeps every message for
 * as long as it lives.
 */
export class MemoryBroker {
  /** What its groups handle. */
  readonly registry: MemoryGroupRegistry;
  /** What the instances of a group have left for each other. */
  readonly handovers: MemoryHandoverQueue;
  readonly #clock: Clock;
  readonly #log: Message[] = [];
  /** When each message was accepted, in milliseconds since the epoch. */
  readonly #acceptedAtMs: number[] = [];
  readonly #groups = new Map<string, MemoryGroup>();
  readonly #broadcasts = new Set<MemoryGroup>();
  readonly #watchers = new Set<() => void>();
  /** Why it does nothing. */
  #away: EventError | undefined;

  /**
   * @param options.clock Tells when a message was accepted; the machine's own unless given.
   * @throws {TypeError} If an option is not known.
   */
  constructor(options: { clock?: Clock } = {}) {
    assertKnownOptions('MemoryBroker', options, { clock: true });
    this.#clock = options.clock ?? systemClock;
    this.handovers = new MemoryHandoverQueue(undefined, { clock: this.#clock });
    this.registry = new MemoryGroupRegistry(this.#clock, () => this.assertReachable());
  }

  /** Tells this broker from others of the same name. */
  #marker: string | undefined;

  /** @returns The mark that it bears now. */
  mark(candidate: string): string {
    this.assertReachable();
    this.#marker ??= candidate;
    return this.#marker;
  }

  /** @throws {EventError} `DESTINATION_CHANGED`; `TRANSPORT_UNAVAILABLE` while it is away */
  assertMarker(destination: string, expected: string): void {
    this.assertReachable();
    const found = this.#marker ?? null;
    if (found !== expected) throw destinationChanged(destination, expected, found);
  }

  /** True between `goAway`, or `refuseAccess`, and its end. */
  get isAway(): boolean {
    return this.#away !== undefined;
  }

  /**
   * Behaves like a server that cannot be reached, for tests: nothing is accepted or handed out.
   *
   * @returns A function that brings it back.
   */
  goAway(): () => void {
    const message = 'the memory broker is away; call it back';
    return this.#setAway(new EventError('TRANSPORT_UNAVAILABLE', message, { transport: 'memory' }));
  }

  /**
   * Behaves like a server that refuses its user, for tests.
   *
   * @returns A function that gives the access back.
   */
  refuseAccess(): () => void {
    const details = { server: 'memory', refusal: 'REFUSED' };
    const message = 'the memory broker refuses its user; give the access back';
    return this.#setAway(new EventError('ACCESS_REFUSED', message, details));
  }

  /** Calls `onChange` when it goes away and comes back. @returns A function that ends it. */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => void this.#watchers.delete(onChange);
  }

  /** @throws {EventError} `TRANSPORT_UNAVAILABLE` while it is away, `ACCESS_REFUSED` while it refuses its user. */
  assertReachable(): void {
    if (this.#away) throw this.#away;
  }

  /**
   * @returns The position of each message.
   * @throws {EventError} `TRANSPORT_UNAVAILABLE` while it is away
   */
  append(messages: readonly Message[]): string[] {
    this.assertReachable();
    const acceptedAtMs = this.#clock.now();
    const positions = messages.map((message) => {
      this.#acceptedAtMs.push(acceptedAtMs);
      return String(this.#log.push(frozenCopy(message)) - 1);
    });
    this.#wakeGroups();
    return positions;
  }

  /** The group of this name; a new one begins where `start` says. */
  group(name: string, start: GroupStart): MemoryGroup {
    this.assertReachable();
    const known = this.#groups.get(name);
    if (known) return known;
    const group = new MemoryGroup(this.#log, this.#firstOf(start));
    this.#groups.set(name, group);
    return group;
  }

  /** A group without a name, for one consumer alone; `forget` is called when the consumer closes. */
  broadcast(): { group: MemoryGroup; forget: () => void } {
    this.assertReachable();
    const group = new MemoryGroup(this.#log, this.#firstOf('latest'));
    this.#broadcasts.add(group);
    return { group, forget: () => void this.#broadcasts.delete(group) };
  }

  inspect(): StreamInspection {
    this.assertReachable();
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

  /** @returns What ends it. */
  #setAway(reason: EventError | undefined): () => void {
    this.#away = reason;
    for (const onChange of this.#watchers) onChange();
    if (!reason) this.#wakeGroups();
    return () => void this.#setAway(undefined);
  }

  #wakeGroups(): void {
    for (const group of this.#groups.values()) group.wake();
    for (const group of this.#broadcasts) group.wake();
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
