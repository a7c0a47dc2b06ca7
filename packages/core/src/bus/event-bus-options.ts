import type { Clock } from '../clock.ts';
import type { ConsumerChoices, ConsumerGroupOptions } from '../consume/consumer-group-options.ts';
import type { Catalogue } from '../event/catalogue.ts';
import type { Codec } from '../event/codec.ts';
import type { Profile } from '../event/envelope.ts';
import type { Logger, Observer, WarningCode } from '../observer.ts';
import type { OptionNames } from '../options.ts';
import type { Audience } from '../people.ts';
import type { Transport } from '../transport/transport.ts';

export interface TransportEventBusOptions {
  serviceName: string;
  transport: Transport;
  codec: Codec;
  profile: Profile;
  /** True if others use the transport too: `shutdown()` leaves it open then. */
  sharedTransport?: boolean;
  /** What groups get unless they choose otherwise. */
  consumers: ConsumerChoices & Pick<ConsumerGroupOptions, 'deadLetters'>;
  catalogue?: Catalogue;
  observer?: Observer;
  /**
   * Hears everything that people have to know: of the transport, of groups, and of publishers that use this bus,
   * unless they have their own. Without one, the first of each kind is a warning of the process.
   */
  logger?: Logger;
  /** Codes of what is meant to be so. */
  silence?: readonly WarningCode[];
  clock?: Clock;
}

/** The names of all options. */
export const eventBusOptions: OptionNames<TransportEventBusOptions> = {
  serviceName: true,
  transport: true,
  codec: true,
  profile: true,
  sharedTransport: true,
  consumers: true,
  catalogue: true,
  observer: true,
  logger: true,
  silence: true,
  clock: true,
};

/** What the bus was given, or else what its groups were. */
export function audienceOf({
  logger,
  silence,
  consumers,
}: TransportEventBusOptions): Pick<Audience, 'logger' | 'silence'> {
  return { logger: logger ?? consumers.logger, silence: silence ?? consumers.silence };
}
