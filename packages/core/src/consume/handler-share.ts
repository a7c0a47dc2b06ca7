import { compilePatterns, type TypeMatcher } from '../event/patterns.ts';
import type { HandlerSet, RegisteredHandler, RegistryCopy } from '../transport/group-registry.ts';

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
}

/** A handler with its patterns compiled. */
interface Known extends RegisteredHandler {
  readonly matches: TypeMatcher;
  /** What it is called in the group: with the name of its service, where that shares another one's group. */
  readonly key: string;
}

interface KnownSet {
  readonly isSameService: boolean;
  readonly handlers: readonly Known[];
  readonly knows: (eventType: string, version: number) => boolean;
}

/**
 * Which handlers of other instances an event is left for.
 *
 * A handler with a name of its own is one handler wherever it is registered. Those without are counted: an
 * instance that has as many for a type as another one does what the other would do, whatever patterns their
 * names were made from. Handlers of another service are never one's own.
 */
export class HandlerShares {
  readonly #own: readonly Known[];
  readonly #others: readonly KnownSet[];
  readonly #knowsNewest: (eventType: string, version: number) => boolean;
  readonly #shares = new Map<string, HandlerShare>();

  /**
   * @param own What this instance handles.
   * @param copy What is registered in its group.
   * @param knowsNewest Says whether this instance's catalogue knows a version of a type.
   */
  constructor(
    own: HandlerSet,
    copy: RegistryCopy,
    knowsNewest: (eventType: string, version: number) => boolean,
  ) {
    this.#own = own.handlers.map((handler) => known(handler, own.service, copy.owner));
    this.#others = copy.sets.map((set) => ({
      isSameService: set.service === own.service,
      handlers: set.handlers.map((handler) => known(handler, set.service, copy.owner)),
      knows: versionsOf(set),
    }));
    this.#knowsNewest = knowsNewest;
  }

  /** @param version Of the event's data; 1 unless it is newer than what this instance knows. */
  of(eventType: string, version: number): HandlerShare {
    const isNewer = !this.#knowsNewest(eventType, version);
    // Other versions are all alike, so that events cannot fill the memory with them.
    const name = isNewer ? `${eventType} ${version}` : eventType;
    const found = this.#shares.get(name);
    if (found) return found;
    const share = this.#share(eventType, isNewer ? version : undefined);
    if (this.#shares.size < maxShares) this.#shares.set(name, share);
    return share;
  }

  #share(eventType: string, newerVersion: number | undefined): HandlerShare {
    const own = this.#own.filter(({ matches }) => matches(eventType));
    const owed = new Map<string, OwedHandler>();
    const running = new Set(own.map(({ key }) => key));
    for (const { isSameService, handlers, knows } of this.#others) {
      const wanting = handlers.filter(({ matches }) => matches(eventType));
      const knowsMore = newerVersion !== undefined && knows(eventType, newerVersion);
      const pairs = pairUp(wanting, isSameService ? own : []);
      for (const [wanted, counterpart] of pairs) {
        if (counterpart && !knowsMore) continue;
        owed.set(wanted.key, { name: wanted.key, derived: wanted.derived });
        if (counterpart) running.delete(counterpart.key);
      }
    }
    return { own: running, owed: [...owed.values()] };
  }
}

/** Most types whose shares are kept. */
const maxShares = 10_000;

/** Finds for each handler of another instance the one of this instance that does its work. */
function pairUp(
  wanting: readonly Known[],
  own: readonly Known[],
): [wanted: Known, counterpart: Known | undefined][] {
  const left = new Set(own);
  const take = (isIt: (each: Known) => boolean): Known | undefined => {
    const found = [...left].find(isIt);
    if (found) left.delete(found);
    return found;
  };
  const byName = wanting.map((wanted) => {
    return [wanted, take((each) => isSameHandler(each, wanted))] as const;
  });
  return byName.map(([wanted, counterpart]) => [
    wanted,
    counterpart ??
      (wanted.derived ? (take(({ derived }) => derived) ?? take(() => true)) : undefined),
  ]);
}

function isSameHandler(a: RegisteredHandler, b: RegisteredHandler): boolean {
  return a.name === b.name || a.formerly.includes(b.name) || b.formerly.includes(a.name);
}

function known(handler: RegisteredHandler, service: string, owner: string): Known {
  return {
    ...handler,
    matches: compilePatterns(handler.patterns),
    key: handlerKey(handler.name, service, owner),
  };
}

/** What a handler is called in its group: its name alone, unless its service shares the group of another one. */
export function handlerKey(name: string, service: string, owner: string): string {
  return service === owner ? name : `${service}/${name}`;
}

function versionsOf({ versions }: HandlerSet): (eventType: string, version: number) => boolean {
  const compiled = Object.entries(versions).map(([pattern, newest]) => {
    return { matches: compilePatterns([pattern]), newest };
  });
  return (eventType, version) =>
    compiled.some(({ matches, newest }) => newest >= version && matches(eventType));
}
