import type { Coordinates } from '../coordinates.ts';
import type { Message } from '../event/message.ts';
import type { Delivery } from '../transport/transport.ts';

/** What was kept looks to its handler like the delivery that it once was. */
export function repeatedDelivery(
  { message, coordinates }: { message: Message; coordinates: Coordinates },
  signal: AbortSignal,
): Delivery {
  return {
    message,
    coordinates,
    deliveryCount: undefined,
    mayBeRepeated: true,
    signal,
    settle() {},
  };
}
