import { JsonCodec } from '../event/cloudevents/json-codec.ts';
import type { Catalogue } from '../event/catalogue.ts';
import { plainProfile, type Profile } from '../event/envelope.ts';
import { TransportEventBus } from '../bus/event-bus.ts';
import type { ConsumerChoices } from '../consume/consumer-group-options.ts';
import type { Logger, Observer, WarningCode } from '../observer.ts';
import { assertKnownOptions, type OptionNames } from '../options.ts';
import { MemoryDeadLetterQueue } from './memory-dead-letter-queue.ts';
import { MemoryTransport } from './memory-transport.ts';

export interface MemoryEventBusOptions {
  serviceName: string;
  /** Shared by the buses that are to hear each other; a new one unless given. */
  transport?: MemoryTransport;
  profile?: Profile;
  catalogue?: Catalogue;
  /** What groups get unless they choose otherwise. */
  consumers?: ConsumerChoices;
  observer?: Observer;
  /** Hears everything that people have to know; see `TransportEventBusOptions`. */
  logger?: Logger;
  /** Codes of what is meant to be so. */
  silence?: readonly WarningCode[];
}

const knownOptions: OptionNames<MemoryEventBusOptions> = {
  serviceName: true,
  transport: true,
  profile: true,
  catalogue: true,
  consumers: true,
  observer: true,
  logger: true,
  silence: true,
};

/** A bus within one process, for tests and for trying things out; nothing survives the process. */
export class MemoryEventBus extends TransportEventBus {
  /** @throws {TypeError} If an option is not known, or one is not usable. */
  constructor(options: MemoryEventBusOptions) {
    assertKnownOptions('MemoryEventBus', options, knownOptions);
    const {
      serviceName,
      transport,
      profile = plainProfile,
      catalogue,
      consumers,
      observer,
      logger,
      silence,
    } = options;
    super({
      serviceName,
      transport: transport ?? new MemoryTransport(),
      sharedTransport: transport !== undefined,
      codec: new JsonCodec({ profile, observe: observer }),
      profile,
      consumers: {
        deadLetters: new MemoryDeadLetterQueue(),
        ...consumers,
      },
      ...(catalogue ? { catalogue } : {}),
      ...(observer ? { observer } : {}),
      ...(logger ? { logger } : {}),
      ...(silence ? { silence } : {}),
    });
  }
}
