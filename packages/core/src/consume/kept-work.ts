import { ClaimLoop } from './claim-loop.ts';
import type { Clock } from '../clock.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';
import {
  isDeadLetterQueue,
  type DeadLetterClaim,
  type RedriveOutcome,
} from './dead-letter-queue.ts';
import type { UnfinishedDelivery } from './delivery-processor.ts';
import type { EventError } from '../errors.ts';
import { startPruning } from './group-pruning.ts';
import { GroupSharing } from './group-sharing.ts';
import type { HandlerRegistry } from './handler-registry.ts';
import type { HandlerRunner } from './handler-runner.ts';
import type { Handovers } from './handovers.ts';
import type { HealthReasons } from '../health.ts';
import { KeptEvents } from './kept-events.ts';
import type { Lanes } from './lanes.ts';
import type { Observer } from '../observer.ts';
import type { HandoverClaim, HandoverQueue } from '../transport/handover-queue.ts';
import type { Pruning } from './pruner.ts';
import { redriveSource } from './redrive-source.ts';
import type { Warnings } from '../warnings.ts';

export interface KeptWorkOptions {
  readonly options: ConsumerGroupOptions;
  readonly group: string;
  readonly worker: string;
  readonly handlers: HandlerRegistry;
  readonly runner: HandlerRunner;
  readonly lanes: Lanes;
  readonly warnings: Warnings;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly reasons: HealthReasons;
}

/** What a group takes beside its deliveries: dead letters to be run again, and what other instances have left. */
export class KeptWork {
  readonly #options: KeptWorkOptions;
  readonly #redrives: ClaimLoop<DeadLetterClaim, RedriveOutcome> | undefined;
  readonly #sharing: GroupSharing | undefined;
  #pruning: Pruning | undefined;
  #paused = false;
  #started = false;

  constructor(given: KeptWorkOptions) {
    this.#options = given;
    const keptEvents = new KeptEvents(given);
    this.#redrives = redriveLoop(given, keptEvents);
    const { registry } = given.options.transport;
    const queues = handoverQueues(given.options);
    this.#sharing =
      registry && queues.length > 0
        ? new GroupSharing({ ...given, registry, queues, keptEvents })
        : undefined;
  }

  /** Absent where nothing can be left for another instance. */
  get handovers(): Handovers | undefined {
    return this.#sharing?.handovers;
  }

  /** Registers this instance's handlers in the group; to be called before anything is delivered. */
  async register(): Promise<void> {
    if (this.#sharing) return await this.#sharing.register();
    const { group, warnings, reasons, options } = this.#options;
    const lacks = options.transport.registry
      ? 'handovers, a queue of its own, which a database has'
      : `a registry, which ${options.transport.name} does not keep`;
    const words = `group ${group} lacks ${lacks}: during a deploy, an instance settles events that only another one has a handler for`;
    warnings.once('HANDOVERS_MISSING', group, words);
    reasons.note(words);
  }

  /** Begins to take. */
  start(): void {
    this.#started = true;
    const handovers = handoverQueues(this.#options.options);
    this.#pruning = startPruning({ ...this.#options, handovers });
    for (const loop of this.#loops()) {
      if (this.#paused) loop.pause();
      loop.start();
    }
  }

  /** Takes nothing more until `resume()`; also before the start. */
  pause(): void {
    this.#paused = true;
    for (const loop of this.#loops()) loop.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const loop of this.#loops()) loop.resume();
  }

  /** Takes nothing more; resolves when that is certain. */
  async stop(): Promise<void> {
    if (!this.#started) return;
    await Promise.all([...this.#loops().map((loop) => loop.stop()), this.#pruning?.stop()]);
  }

  abandon(reason: EventError): UnfinishedDelivery[] {
    return this.#loops().flatMap((loop) => loop.abandon(reason));
  }

  /** Is no member of the group any more; to be called when the last settlement is written. */
  end(): void {
    this.#sharing?.end();
  }

  #loops(): (ClaimLoop<DeadLetterClaim, RedriveOutcome> | ClaimLoop<HandoverClaim, 'done'>)[] {
    return [...(this.#redrives ? [this.#redrives] : []), ...(this.#sharing?.loops ?? [])];
  }
}

/** Where instances of a group leave things for each other: this one's own queue first. */
export function handoverQueues({
  handovers,
  transport,
}: Pick<ConsumerGroupOptions, 'handovers' | 'transport'>): HandoverQueue[] {
  return [...new Set([handovers, transport.handovers])].filter((queue) => queue !== undefined);
}

function redriveLoop(
  given: KeptWorkOptions,
  keptEvents: KeptEvents,
): ClaimLoop<DeadLetterClaim, RedriveOutcome> | undefined {
  const { deadLetters: queue, redrivePollMs = 1_000, redriveLeaseMs = 60_000 } = given.options;
  if (!queue || !isDeadLetterQueue(queue)) return undefined;
  const source = redriveSource({ ...given, queue, leaseMs: redriveLeaseMs, keptEvents });
  return new ClaimLoop({ ...given, source, pollMs: redrivePollMs, leaseMs: redriveLeaseMs });
}
