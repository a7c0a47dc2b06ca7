import { compareSpecificity, compilePattern, compilePatterns } from '../event/patterns.ts';
import type { TypeMatcher } from '../event/patterns.ts';
import type { HandlerSet, RegisteredHandler, RegistryCopy } from '../transport/group-registry.ts';
import type { HandoverKind } from '../transport/handover-queue.ts';

/** A handler that this instance does not have, and that is to get an event all the same. */
export interface OwedHandler {
  readonly name: string;
  readonly derived: boolean;
}

/** Who handles events of one type and version: this instance, and others. */
export interface HandlerShare {
  /** Names of this instance's handlers that are to run. */
  readonly own: ReadonlySet<string>;
  /** Handlers of other instances. */
  readonly owed: readonly OwedHandler[];
  /** By the names of handlers of other instances: which one of this instance's does their work. */
  readonly takers: ReadonlyMap<string, string | undefined>;
  /** True if this instance's catalogue knows older versions only: another instance may know this one. */
  readonly isNewer: boolean;
}

/** A handler with its patterns compiled. */
interface Known extends RegisteredHandler {
  readonly matches: TypeMatcher;
  /** What it is called in the group: with the name of its service, where that shares another one's group. */
  readonly key: string;
}

interface KnownSet {
  readonly service: string;
  readonly handlers: readonly Known[];
  /** When it was seen last, in milliseconds before the copy was made. */
  readonly seenAgoMs: number;
  knows(eventType: string, version: number): boolean;
}

/** A handler of another instance, and the one of this instance that does its work. */
type Pair = readonly [wanted: Known, counterpart: Known | undefined];

/** A handler that an event is left for, and whose it is. */
interface Owed {
  readonly service: string;
  readonly handler: Known;
}

/** Most types whose shares are kept. */
const maxShares = 10_000;

/**
 * Which handlers of other instances an event is left for.
 *
 * A handler with a name of its own is one handler wherever it is registered. Those without are counted: an
 * instance that has as many for a type as another one does what the other would do, whatever patterns their
 * names were made from. Handlers of another service are never one's own.
 */
export class HandlerShares {
  readonly #own: KnownSet;
  readonly #registered: readonly KnownSet[];
  readonly #shares = new Map<string, HandlerShare>();

  /** @param own What this instance handles. @param copy What is registered in its group. */
  constructor(own: HandlerSet, { owner, sets }: RegistryCopy) {
    this.#own = knownSet({ ...own, seenAgoMs: 0 }, owner);
    this.#registered = sets.map((set) => knownSet(set, owner));
  }

  /** @param version Of the event's data. */
  of(eventType: string, version: number): HandlerShare {
    const isNewer = !this.#own.knows(eventType, version);
    // Versions that are known are all alike, so that events cannot fill the memory with them.
    const name = isNewer ? `${eventType} ${version}` : eventType;
    const found = this.#shares.get(name);
    if (found) return found;
    const share = this.#share(eventType, isNewer ? version : undefined);
    if (this.#shares.size < maxShares) this.#shares.set(name, share);
    return share;
  }

  /** The name of this instance's handler that may take handovers of a kind. */
  takerOf(kind: HandoverKind): string | undefined {
    return this.#takerIn(this.#own, kind)?.key;
  }

  /**
   * Says whether an instance that was seen within the time can take handovers of a kind.
   *
   * @param withinMs Before the copy was made.
   */
  isServed(kind: HandoverKind, withinMs: number): boolean {
    const live = this.#registered.filter(({ seenAgoMs }) => seenAgoMs <= withinMs);
    return [this.#own, ...live].some((set) => this.#takerIn(set, kind) !== undefined);
  }

  /** Handlers of other versions of this service whose work one of this instance does under another name. */
  renamed(withinMs: number): { former: string; name: string }[] {
    const found = new Map<string, { former: string; name: string }>();
    for (const { service, handlers, seenAgoMs } of this.#registered) {
      if (service !== this.#own.service || seenAgoMs > withinMs) continue;
      for (const eventType of handlers.flatMap(({ patterns }) => patterns.map(anyTypeOf))) {
        for (const [{ key: former }, taker] of pairsOf(eventType, handlers, this.#own.handlers)) {
          if (!taker || taker.key === former || taker.formerly.includes(former)) continue;
          found.set(`${former} ${taker.key}`, { former, name: taker.key });
        }
      }
    }
    return [...found.values()];
  }

  #share(eventType: string, newerVersion: number | undefined): HandlerShare {
    const wanting = this.#own.handlers.filter(({ matches }) => matches(eventType));
    const own = new Set(wanting.map(({ key }) => key));
    const owed = new Map<string, Owed>();
    const takers = new Map<string, string | undefined>();
    // What several versions call differently is left once, for the youngest of them.
    for (const set of this.#registered.toReversed()) {
      const knowsMore = newerVersion !== undefined && set.knows(eventType, newerVersion);
      const before = [...owed.values()].filter(({ service }) => service === set.service);
      for (const [wanted, counterpart] of this.#pairs(eventType, set, this.#own)) {
        // As in `takerOf`: in every set, and as the eldest one says.
        const isTaken = counterpart && (takers.get(wanted.key) ?? !takers.has(wanted.key));
        takers.set(wanted.key, isTaken ? counterpart.key : undefined);
        if (counterpart && !knowsMore) continue;
        if (counterpart) own.delete(counterpart.key);
        if (before.some(({ handler }) => this.#isEqual(eventType, set, wanted, handler))) continue;
        owed.set(wanted.key, { service: set.service, handler: wanted });
      }
    }
    return {
      own,
      owed: [...owed.values()].map(({ handler: { key: name, derived } }) => ({ name, derived })),
      takers,
      isNewer: newerVersion !== undefined,
    };
  }

  /** One that knows an older version takes it as it is, unless another one knows it: as it does with a delivery. */
  #takerIn(set: KnownSet, kind: HandoverKind): Known | undefined {
    const { eventType, eventVersion } = kind;
    const taker = this.#doerIn(set, kind);
    if (!taker || set.knows(eventType, eventVersion)) return taker;
    const isKnown = this.#registered.some(
      (other) => other.knows(eventType, eventVersion) && this.#doerIn(other, kind) !== undefined,
    );
    return isKnown ? undefined : taker;
  }

  /** The handler of a set that does a handler's work, whatever versions it knows. */
  #doerIn(
    set: KnownSet,
    { handler, eventType }: Omit<HandoverKind, 'eventVersion'>,
  ): Known | undefined {
    const wanting = set.handlers.filter(({ matches }) => matches(eventType));
    const named = wanting.find(
      ({ key, formerly }) => key === handler || formerly.includes(handler),
    );
    if (named) return named;
    const pairs = this.#registered
      .map((wanted) => this.#pairs(eventType, wanted, set).find(([{ key }]) => key === handler))
      .filter((pair) => pair !== undefined);
    // What does its work for one set may be beside it in another, where this instance owes it.
    return pairs.every(([, counterpart]) => counterpart) ? pairs[0]?.[1] : undefined;
  }

  /** Says whether what is left for a handler need not be left for one of another set too, which takes it as well. */
  #isEqual(eventType: string, set: KnownSet, wanted: Known, owed: Known): boolean {
    if (wanted.key === owed.key) return true;
    if (!isSameHandler(owed, wanted) && !(owed.derived && wanted.derived)) return false;
    return this.#doerIn(set, { handler: owed.key, eventType }) === wanted;
  }

  #pairs(eventType: string, wanted: KnownSet, having: KnownSet): Pair[] {
    const handlers = wanted.service === having.service ? having.handlers : [];
    return pairsOf(eventType, wanted.handlers, handlers);
  }
}

/** Finds for each handler of a type the one of another instance that does its work. */
function pairsOf(eventType: string, wanted: readonly Known[], having: readonly Known[]): Pair[] {
  const left = new Set(having.filter(({ matches }) => matches(eventType)));
  const take = (isIt: (each: Known) => boolean): Known | undefined => {
    const found = [...left].find(isIt);
    if (found) left.delete(found);
    return found;
  };
  return wanted
    .filter(({ matches }) => matches(eventType))
    .map((each) => [each, take((other) => isSameHandler(other, each))] as const)
    .map(([each, same]) => {
      if (same || !each.derived) return [each, same];
      return [each, take(({ derived }) => derived) ?? take(() => true)];
    });
}

function isSameHandler(a: Known, b: Known): boolean {
  return a.key === b.key || a.formerly.includes(b.key) || b.formerly.includes(a.key);
}

/** What a handler is called in its group: its name alone, unless its service shares the group of another one. */
export function handlerKey(name: string, service: string, owner: string): string {
  return service === owner ? name : `${service}/${name}`;
}

function knownSet(set: HandlerSet & { seenAgoMs: number }, owner: string): KnownSet {
  const { service, seenAgoMs } = set;
  const key = (name: string): string => handlerKey(name, service, owner);
  return {
    service,
    seenAgoMs,
    handlers: set.handlers.map((handler) => ({
      ...handler,
      matches: compilePatterns(handler.patterns),
      key: key(handler.name),
      formerly: handler.formerly.map(key),
    })),
    knows: versionsOf(set),
  };
}

function versionsOf({ versions }: HandlerSet): KnownSet['knows'] {
  const entries = Object.entries(versions)
    .sort(([a], [b]) => compareSpecificity(a, b))
    .map(([pattern, newest]) => ({ matches: compilePattern(pattern), newest }));
  return (eventType, version) => {
    if (version <= 1) return true;
    const entry = entries.find(({ matches }) => matches(eventType));
    return !entry || version <= entry.newest;
  };
}

/** A type that matches a pattern. */
function anyTypeOf(pattern: string): string {
  return pattern.replaceAll('*', 'any');
}
