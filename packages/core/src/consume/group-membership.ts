import { createHash } from 'node:crypto';

import type { Clock } from '../clock.ts';
import { EventError } from '../errors.ts';
import type { Catalogue } from '../event/catalogue.ts';
import { compilePatterns } from '../event/patterns.ts';
import type { HealthReasons } from '../health.ts';
import { messageOfThrown } from '../thrown.ts';
import type {
  GroupRegistry,
  HandlerSet,
  RegisteredHandler,
  RegistryCopy,
} from '../transport/group-registry.ts';
import { HandlerShares } from './handler-share.ts';

export interface GroupMembershipOptions {
  readonly group: string;
  readonly worker: string;
  readonly registry: GroupRegistry;
  /** How often to say that this instance is there, and to look who else is, in milliseconds. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly reasons: HealthReasons;
  /**
   * Takes back that handlers of this instance were retired: before it registers, and after something has changed,
   * since its set may have been away from the registry.
   *
   * @param set What it handles. @param owner Of the group.
   */
  readonly reinstate: (set: HandlerSet, owner: string) => Promise<void>;
  /** Called with each copy of the registry that differs from the one before. */
  readonly onChange: (copy: RegistryCopy) => void;
}

/** How many signs of life an instance may miss. */
const missedBeats = 6;

/** Keeps this instance registered in its group, and knows what is registered there. */
export class GroupMembership {
  readonly #options: GroupMembershipOptions;
  #set: (HandlerSet & { readonly id: string }) | undefined;
  #copy: RegistryCopy | undefined;
  #hasCompany = false;
  #shares: HandlerShares | undefined;
  /** Owner of the reason that it is in no registry. */
  readonly #unregistered = {};
  #refreshing: Promise<RegistryCopy> | undefined;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(options: GroupMembershipOptions) {
    this.#options = options;
  }

  get set(): HandlerSet & { readonly id: string } {
    return this.#set!;
  }

  /** Version of the registry that is known here; empty before the start. */
  get version(): string {
    return this.#copy?.version ?? '';
  }

  get copy(): RegistryCopy {
    return this.#copy!;
  }

  get shares(): HandlerShares {
    return this.#shares!;
  }

  /** True if another version of the service, or another service, was there not long before the copy was made. */
  get hasCompany(): boolean {
    return this.#hasCompany;
  }

  /** After this long without a sign of life, in milliseconds, an instance counts as gone. */
  get goneAfterMs(): number {
    return this.#options.everyMs * missedBeats;
  }

  /**
   * Registers, and does so again now and then until the stop.
   *
   * @param set What this instance handles.
   * @throws {EventError} `GROUP_TAKEN` if another service has the group and cannot be left its share.
   */
  async start(set: HandlerSet): Promise<void> {
    const { group, registry, reinstate } = this.#options;
    this.#stopped = false;
    this.#set = { ...set, id: idOf(set) };
    // What is registered is left its share, also where it never runs: so first whether it may be.
    const known = await registry.read(group);
    assertShareable(group, set, known);
    // From its registration on others leave it things, which are not to be skipped.
    await reinstate(set, known.owner === '' ? set.service : known.owner);
    await this.#assertFirst(await this.refresh());
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#options.reasons.remove(this);
    this.#options.reasons.remove(this.#unregistered);
  }

  /** Registers, and reads the registry as it is now. Calls that come together share one. */
  refresh(): Promise<RegistryCopy> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /** As `refresh`, but surely begun after this call. */
  async refreshAnew(): Promise<RegistryCopy> {
    await this.#refreshing?.catch(() => {});
    return await this.refresh();
  }

  /** Of two services that have registered at the same moment, the second one takes that back. */
  async #assertFirst(copy: RegistryCopy): Promise<void> {
    const { group, registry } = this.#options;
    try {
      assertShareable(group, this.set, copy);
    } catch (error) {
      await registry.retire(group, { service: this.set.service });
      throw error;
    }
  }

  async #refresh(): Promise<RegistryCopy> {
    const { group, worker, registry, reinstate, onChange } = this.#options;
    const copy = await this.#register(group, worker, registry);
    const isNew = copy.version !== this.#copy?.version;
    if (isNew) await reinstate(this.set, copy.owner);
    // What others were seen with is news as well, but nothing to judge by.
    this.#shares = new HandlerShares(this.set, copy);
    this.#copy = copy;
    this.#hasCompany = copy.sets.some(
      ({ id, seenAgoMs }) => id !== this.set.id && seenAgoMs <= this.goneAfterMs,
    );
    if (isNew) onChange(copy);
    return copy;
  }

  async #register(group: string, worker: string, registry: GroupRegistry): Promise<RegistryCopy> {
    const copy = await registry.register(group, this.set, worker);
    const { reasons } = this.#options;
    if (copy.sets.some(({ id }) => id === this.set.id)) reasons.remove(this.#unregistered);
    else {
      const words = `group ${group} cannot be told what this instance handles, since its server takes no writes; others may settle events of its handlers`;
      reasons.add(this.#unregistered, words);
    }
    return copy.owner === '' ? { ...copy, owner: this.set.service } : copy;
  }

  #schedule(): void {
    if (this.#stopped) return;
    const { clock, everyMs } = this.#options;
    this.#cancel?.();
    this.#cancel = clock.schedule(everyMs, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    const { group, reasons } = this.#options;
    try {
      await this.refresh();
      reasons.remove(this);
    } catch (error) {
      const why = messageOfThrown(error);
      if (!this.#stopped)
        reasons.add(this, `the registry of group ${group} cannot be reached: ${why}`);
    }
    this.#schedule();
  }
}

/** What an instance tells its group about itself. */
export function handlerSet(options: {
  service: string;
  handlers: readonly RegisteredHandler[];
  catalogue: Catalogue | undefined;
  sharedBy: string | null;
}): HandlerSet {
  const { service, handlers, catalogue, sharedBy } = options;
  const isAsked = compilePatterns(handlers.flatMap(({ patterns }) => patterns));
  const versions = (catalogue?.list() ?? [])
    .map((entry) => ['pattern' in entry ? entry.pattern : entry.type, entry.version] as const)
    .filter(([type]) => type.includes('*') || isAsked(type));
  return { service, handlers, versions: Object.fromEntries(versions), sharedBy };
}

/** @throws {EventError} `GROUP_TAKEN` if another service came first, and this one shares nothing to leave work in with it. */
function assertShareable(group: string, own: HandlerSet, { owner, sets }: RegistryCopy): void {
  if (owner === own.service) return;
  const other = sets.find(({ service, sharedBy }) => {
    const isShared = sharedBy !== null && sharedBy === own.sharedBy;
    return service !== own.service && !isShared;
  });
  if (!other) return;
  const { service, worker } = other;
  throw new EventError(
    'GROUP_TAKEN',
    `group ${group} belongs to service ${service} (worker ${worker}), and service ${own.service} shares no database with it; give each its own group, or if the service was renamed, retire({ service: '${service}', by, reason })`,
    { group, service },
  );
}

/** Equal for equal sets. */
function idOf({ service, handlers, versions, sharedBy }: HandlerSet): string {
  const text = JSON.stringify([service, handlers, Object.entries(versions).sort(), sharedBy]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
