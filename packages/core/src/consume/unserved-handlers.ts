import type { GroupMembership } from './group-membership.ts';
import type { HandoverQueue, OpenHandovers } from '../transport/handover-queue.ts';
import type { HealthReasons } from '../health.ts';
import type { KnownHandlerSet } from '../transport/group-registry.ts';
import { handlerKey } from './handler-share.ts';
import type { Warnings } from '../warnings.ts';

/** Names handlers for which events wait, and which no running instance has: removed, or rolled back. */
export class UnservedHandlers {
  readonly #group: string;
  readonly #reasons: HealthReasons;
  readonly #warnings: Warnings;
  /** Owner of the reason of each handler, by queue. */
  readonly #named = new Map<HandoverQueue, Map<string, object>>();

  constructor(options: { group: string; reasons: HealthReasons; warnings: Warnings }) {
    this.#group = options.group;
    this.#reasons = options.reasons;
    this.#warnings = options.warnings;
  }

  /** Takes note of what waits in a queue of the group. */
  note(queue: HandoverQueue, open: readonly OpenHandovers[], membership: GroupMembership): void {
    const { shares, goneAfterMs } = membership;
    const named = this.#named.get(queue) ?? new Map<string, object>();
    this.#named.set(queue, named);
    const unserved = open.filter((kind) => !shares.isServed(kind, goneAfterMs));
    const byHandler = Map.groupBy(unserved, ({ handler }) => handler);
    for (const [handler, owner] of named) {
      if (byHandler.has(handler)) continue;
      this.#reasons.remove(owner);
      named.delete(handler);
    }
    for (const [handler, kinds] of byHandler) {
      const owner = named.get(handler) ?? {};
      named.set(handler, owner);
      this.#name(owner, handler, kinds, membership);
    }
  }

  /** Says nothing more. */
  end(): void {
    for (const named of this.#named.values()) {
      for (const owner of named.values()) this.#reasons.remove(owner);
    }
    this.#named.clear();
  }

  #name(
    owner: object,
    handler: string,
    kinds: readonly OpenHandovers[],
    membership: GroupMembership,
  ): void {
    const count = kinds.reduce((sum, kind) => sum + kind.count, 0);
    const types = [...new Set(kinds.map(describeKind))].join(', ');
    const oldest = new Date(Math.min(...kinds.map((kind) => kind.oldest.getTime())));
    const waiting = `${count} events (${types}) of group ${this.#group} wait for handler ${handler}, which no running instance has, the oldest since ${oldest.toISOString()}`;
    this.#reasons.add(owner, `${waiting}; ${registeredBy(handler, membership)}`);
    this.#warnings.once(
      'HANDLER_GONE',
      handler,
      `${waiting}; ${registeredBy(handler, membership)}; start an instance that has it, or give it up for good: retire({ handler: '${handler}', by, reason }), in SQL: SELECT retire_handler('${quoted(this.#group)}', '${quoted(handler)}', 'who', 'why')`,
    );
  }
}

function describeKind({ eventType, eventVersion }: OpenHandovers): string {
  return eventVersion > 1 ? `${eventType} of version ${eventVersion}` : eventType;
}

/** Who registered a handler, and when it was seen last. */
function registeredBy(handler: string, { copy }: GroupMembership): string {
  const known = copy.sets
    .filter(({ service, handlers }) =>
      handlers.some(({ name }) => handlerKey(name, service, copy.owner) === handler),
    )
    .sort((a, b) => a.seenAgoMs - b.seenAgoMs);
  const last: KnownHandlerSet | undefined = known[0];
  if (!last) return 'nobody has it registered any more';
  const { service, worker, seenAgoMs } = last;
  const ago = Math.round(seenAgoMs / 1_000);
  return `service ${service || '(none)'} (worker ${worker}) registered it, and was seen ${ago} s ago`;
}

function quoted(text: string): string {
  return text.replaceAll("'", "''");
}
