import { ClaimLoop } from './claim-loop.ts';
import type { Clock } from '../clock.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';
import { GroupMembership, handlerSet } from './group-membership.ts';
import type { HandlerRegistry } from './handler-registry.ts';
import { handlerKey } from './handler-share.ts';
import { handoverSource } from './handover-source.ts';
import type { HandoverClaim, HandoverQueue } from '../transport/handover-queue.ts';
import { Handovers } from './handovers.ts';
import type { HealthReasons } from '../health.ts';
import { randomIds } from '../ids.ts';
import type { KeptEvents } from './kept-events.ts';
import type { Lanes } from './lanes.ts';
import type { Observer } from '../observer.ts';
import type { GroupRegistry, HandlerSet, RegistryCopy } from '../transport/group-registry.ts';
import { UnservedHandlers } from './unserved-handlers.ts';
import type { Warnings } from '../warnings.ts';

export interface GroupSharingOptions {
  readonly options: ConsumerGroupOptions;
  readonly group: string;
  readonly worker: string;
  readonly registry: GroupRegistry;
  /** The first is this instance's own; the transport's may come behind it. */
  readonly queues: readonly HandoverQueue[];
  readonly handlers: HandlerRegistry;
  readonly keptEvents: KeptEvents;
  readonly lanes: Lanes;
  readonly warnings: Warnings;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly reasons: HealthReasons;
}

/** Sets of other versions that were seen within this time count for a warning of renamed handlers. */
const renamedWithinMs = 30 * 86_400_000;

/** What instances of one group with different handlers do for each other. */
export class GroupSharing {
  readonly handovers: Handovers;
  /** Take what others have left for this instance, one for each queue. */
  readonly loops: readonly ClaimLoop<HandoverClaim, 'done'>[];
  readonly #options: GroupSharingOptions;
  readonly #membership: GroupMembership;
  readonly #unserved: UnservedHandlers;

  constructor(given: GroupSharingOptions) {
    const { options, queues } = given;
    const { registryEveryMs = 10_000, redrivePollMs = 1_000, redriveLeaseMs = 60_000 } = options;
    this.#options = given;
    this.#unserved = new UnservedHandlers(given);
    this.#membership = new GroupMembership({
      ...given,
      everyMs: registryEveryMs,
      reinstate: (set, owner) => this.#reinstate(set, owner),
      onChange: (copy) => this.#warnOfOthers(copy),
    });
    this.handovers = new Handovers({
      ...given,
      codec: options.codec,
      transactions: options.transactions,
      membership: this.#membership,
      onOwn: () => this.loops.forEach((loop) => loop.wake()),
    });
    // One that starts again under its name does not go on in the middle of what its former self has taken.
    const worker = options.worker === undefined ? given.worker : `${given.worker} ${randomIds()}`;
    this.loops = queues.map((queue) => {
      const source = handoverSource({
        ...given,
        worker,
        queue,
        leaseMs: redriveLeaseMs,
        membership: this.#membership,
        handovers: this.handovers,
        unserved: this.#unserved,
      });
      const timing = { pollMs: redrivePollMs, leaseMs: redriveLeaseMs };
      return new ClaimLoop({ ...given, ...timing, source });
    });
  }

  /**
   * Registers this instance's handlers, so that from now on whoever meets an event of theirs leaves it for them.
   *
   * @throws {EventError} `GROUP_TAKEN` if the group is another service's and the two share no database.
   */
  async register(): Promise<void> {
    const { options, handlers, queues } = this.#options;
    const { service = '', catalogue } = options;
    const sharedBy = await queues[0]!.identity();
    const registered = handlers.asRegistered();
    await this.#membership.start(
      handlerSet({ service, handlers: registered, catalogue, sharedBy }),
    );
    const { owner } = this.#membership.copy;
    handlers.rename((name) => handlerKey(name, service, owner));
    this.#warnOfRenamed();
  }

  /** Is no member of the group any more. What it handles stays registered. */
  end(): void {
    this.#membership.stop();
    this.#unserved.end();
  }

  async #reinstate({ service, handlers }: HandlerSet, owner: string): Promise<void> {
    const { queues, group } = this.#options;
    const names = handlers.map(({ name }) => handlerKey(name, service, owner));
    for (const queue of queues) await queue.reinstate(group, names);
  }

  #warnOfOthers({ sets }: RegistryCopy): void {
    const { group, warnings, options } = this.#options;
    const { service = '' } = options;
    for (const other of sets) {
      if (other.service === service) continue;
      warnings.once(
        'GROUP_SHARED',
        `${group} ${other.service}`,
        `services ${service} and ${other.service} use one consumer group, ${group}; each gets all its events, by way of the database; give each a group of its own, or if the service was renamed, retire({ service: '${other.service}', by, reason })`,
      );
    }
  }

  #warnOfRenamed(): void {
    const { group, warnings } = this.#options;
    for (const { former, name } of this.#membership.shares.renamed(renamedWithinMs)) {
      warnings.once(
        'HANDLER_RENAMED',
        `${group} ${former} ${name}`,
        `handler ${name} of group ${group} seems to be what was called ${former}; its inbox forgets what ${former} has handled, so say formerly: ['${former}'], or give both names of their own`,
      );
    }
  }
}
