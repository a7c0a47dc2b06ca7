import type { Clock } from '../clock.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';
import { DeliveryProcessor } from './delivery-processor.ts';
import { HandlerRegistry } from './handler-registry.ts';
import { HandlerRunner } from './handler-runner.ts';
import type { HealthReasons } from '../health.ts';
import { KeptWork } from './kept-work.ts';
import type { Lanes } from './lanes.ts';
import type { Observer } from '../observer.ts';
import { DeadLetterRecorder } from './policies/dead-letter.ts';

export interface GroupPartsOptions {
  readonly options: ConsumerGroupOptions;
  readonly worker: string;
  readonly lanes: Lanes;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly reasons: HealthReasons;
}

/** What a consumer group is made of, beside its intake and its lanes. */
export interface GroupParts {
  readonly handlers: HandlerRegistry;
  /** Absent for a broadcast, for which nothing is kept. */
  readonly kept: KeptWork | undefined;
  readonly processor: DeliveryProcessor;
}

/** Puts the parts of a group together. */
export function groupParts(given: GroupPartsOptions): GroupParts {
  const { options, observe, lanes } = given;
  const { group, codec, catalogue, maxDeliveries = 5 } = options;
  const recorder = newRecorder(given);
  const handlers = new HandlerRegistry({ ...given, recorder });
  const { registrations, warnings } = handlers;
  const runner = new HandlerRunner({
    group,
    codec,
    catalogue,
    recorder,
    maxDeliveries,
    observe,
    lanes,
    registrations,
  });
  const kept =
    group === null ? undefined : new KeptWork({ ...given, group, handlers, runner, warnings });
  const handovers = kept?.handovers;
  return {
    handlers,
    kept,
    processor: new DeliveryProcessor({ ...given, group, runner, handovers }),
  };
}

function newRecorder({ options, ...shared }: GroupPartsOptions): DeadLetterRecorder | undefined {
  const { group, deadLetters: sink } = options;
  if (group === null || !sink) return undefined;
  return new DeadLetterRecorder({ ...shared, group, sink });
}
