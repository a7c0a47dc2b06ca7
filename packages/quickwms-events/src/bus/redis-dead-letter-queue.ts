import {
  RedisDeadLetterQueue as EngineQueue,
  type RedisDeadLetterQueueOptions,
} from '@waybill/redis';

import { defaultStreamPrefix } from '../domains/event-domain.ts';

/** The dead letters of warehouse services that run without PostgreSQL. */
export class RedisDeadLetterQueue extends EngineQueue {
  /** @throws {TypeError} If an option is not known, or one is not usable. */
  constructor(options: RedisDeadLetterQueueOptions) {
    super({ streamPrefix: defaultStreamPrefix, ...options });
  }
}
