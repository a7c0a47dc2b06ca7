import type { Clock } from '../clock.ts';
import type { GroupRegistry, HandlerSet, RegistryCopy } from '../transport/group-registry.ts';

interface Row {
  readonly set: HandlerSet & { readonly id: string };
  readonly worker: string;
  readonly registeredAtMs: number;
  readonly seenAtMs: number;
}

interface Group {
  readonly rows: Map<string, Row>;
  version: number;
}

/** What the groups of a `MemoryBroker` handle. */
export class MemoryGroupRegistry implements GroupRegistry {
  readonly #clock: Clock;
  readonly #assertReachable: () => void;
  readonly #groups = new Map<string, Group>();

  /** @param assertReachable Throws while the broker is away. */
  constructor(clock: Clock, assertReachable: () => void) {
    this.#clock = clock;
    this.#assertReachable = assertReachable;
  }

  /** The version of a group's registry; what a settlement is compared with. */
  versionOf(group: string): string {
    return String(this.#groups.get(group)?.version ?? 0);
  }

  async register(
    group: string,
    set: HandlerSet & { readonly id: string },
    worker: string,
  ): Promise<RegistryCopy> {
    this.#assertReachable();
    const known = this.#group(group);
    const before = known.rows.get(set.id);
    const nowMs = this.#clock.now();
    const registeredAtMs = before?.registeredAtMs ?? nowMs;
    if (!before || !isSame(before.set, set)) known.version += 1;
    known.rows.set(set.id, { set: structuredClone(set), worker, registeredAtMs, seenAtMs: nowMs });
    return this.#copy(group);
  }

  async read(group: string): Promise<RegistryCopy> {
    this.#assertReachable();
    return this.#copy(group);
  }

  async retire(
    group: string,
    { service, name }: { readonly service: string; readonly name?: string },
  ): Promise<boolean> {
    this.#assertReachable();
    const known = this.#group(group);
    let isKnown = false;
    for (const [id, row] of known.rows) {
      const left = row.set.handlers.filter((handler) => {
        return row.set.service !== service || (name !== undefined && handler.name !== name);
      });
      if (left.length === row.set.handlers.length) continue;
      isKnown = true;
      if (left.length === 0) known.rows.delete(id);
      else known.rows.set(id, { ...row, set: { ...row.set, handlers: left } });
    }
    if (isKnown) known.version += 1;
    return isKnown;
  }

  #group(name: string): Group {
    const known = this.#groups.get(name);
    if (known) return known;
    const made: Group = { rows: new Map(), version: 0 };
    this.#groups.set(name, made);
    return made;
  }

  #copy(group: string): RegistryCopy {
    const nowMs = this.#clock.now();
    const rows = [...(this.#groups.get(group)?.rows.values() ?? [])];
    const sets = rows.map(({ set, worker, registeredAtMs, seenAtMs }) => ({
      ...structuredClone(set),
      worker,
      registeredAgoMs: nowMs - registeredAtMs,
      seenAgoMs: nowMs - seenAtMs,
    }));
    return { version: this.versionOf(group), owner: rows[0]?.set.service ?? '', sets };
  }
}

function isSame(a: HandlerSet, b: HandlerSet): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
