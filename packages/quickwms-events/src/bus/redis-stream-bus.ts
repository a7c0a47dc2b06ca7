import { assertKnownOptions } from '@waybill/core';
import type { GroupInspection, StreamInspection } from '@waybill/core';
import {
  RedisStreamEventBus as EngineBus,
  redisStreamEventBusOptions,
  type RedisStreamEventBusOptions as EngineOptions,
} from '@waybill/redis';

import { defaultStreamPrefix } from '../domains/event-domain.ts';
import { quickwmsEvents, quickwmsProfile } from '../profile.ts';

export type RedisStreamEventBusConfig = Omit<EngineOptions, 'profile' | 'catalogue'>;
export type StreamInfo = StreamInspection;
export type GroupInfo = GroupInspection;

const knownOptions = redisStreamEventBusOptions.filter(
  (name) => name !== 'profile' && name !== 'catalogue',
);

/** The warehouse's bus: one Redis stream for each domain, one consumer group for each service. */
export class RedisStreamEventBus extends EngineBus {
  /** @throws {TypeError} If an option is not known, or one is not usable. */
  constructor(config: RedisStreamEventBusConfig) {
    assertKnownOptions('RedisStreamEventBus', config, knownOptions);
    super({
      streamPrefix: defaultStreamPrefix,
      ...config,
      profile: quickwmsProfile,
      catalogue: quickwmsEvents,
    });
  }
}
