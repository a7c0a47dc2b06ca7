import { EventError } from '../../errors.ts';

/** The error for a message that is not an event we can read. */
export function unparseable(
  reason: string,
  options: { contentType?: string; cause?: unknown } = {},
): EventError<'MESSAGE_UNPARSEABLE'> {
  const { contentType, cause } = options;
  return new EventError(
    'MESSAGE_UNPARSEABLE',
    reason,
    contentType === undefined ? {} : { contentType },
    cause === undefined ? {} : { cause },
  );
}
