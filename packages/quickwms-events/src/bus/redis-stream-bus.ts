import { assertKnownOptions } from '@waybill/core/adapter';
import type { GroupInspection, Handler, HandlerOptions, StreamInspection } from '@waybill/core';
import {
  RedisStreamEventBus as EngineBus,
  redisStreamEventBusOptions,
  type RedisStreamEventBusOptions as EngineOptions,
} from '@waybill/redis';

import { defaultStreamPrefix } from '../domains/event-domain.ts';
import { quickwmsEvents, quickwmsProfile } from '../profile.ts';
import type { EventHandler } from '../types/index.ts';

export type RedisStreamEventBusConfig = Omit<EngineOptions, 'profile' | 'catalogue'>;
export type StreamInfo = StreamInspection;
export type GroupInfo = GroupInspection;

const { profile: _profile, catalogue: _catalogue, ...knownOptions } = redisStreamEventBusOptions;

/** The warehouse's bus: one Redis stream for each domain, one consumer group for each service. */
export class RedisStreamEventBus extends EngineBus {
  /** @throws {TypeError} If an option is not known, or one is not usable. */
  constructor(config: RedisStreamEventBusConfig) {
    assertKnownOptions('RedisStreamEventBus', config, knownOptions);
    const { streamPrefix = defaultStreamPrefix } = config;
    super({
      ...config,
      streamPrefix,
      profile: quickwmsProfile,
      catalogue: quickwmsEvents,
    });
  }

  /**
   * Handles events of these types in the group of the service.
   *
   * @throws {TypeError} If a type or an option is not usable.
   * @throws {EventError} `GROUP_RUNNING` after `start()`.
   */
  override async subscribe(
    eventTypes: string[],
    handler: EventHandler,
    options?: HandlerOptions,
  ): Promise<void> {
    // What the profile reads is an event of the warehouse.
    await super.subscribe(eventTypes, handler as Handler, options);
  }

  /** @returns The consumer groups of a stream; none if there is no stream of that name. */
  override async getGroupInfo(streamKey: string): Promise<GroupInfo[]> {
    return [...(await super.getGroupInfo(streamKey))];
  }
}
