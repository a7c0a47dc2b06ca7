import type { EventEnvelope, Profile } from './envelope.ts';
import { EventError } from '../errors.ts';
import { eventLabel } from './event-label.ts';
import { isText, maxTextLength, oneLine, shown } from '../text.ts';
import { messageOfThrown } from '../thrown.ts';

/**
 * The error for an event that code of a profile failed at.
 *
 * @param part Which code: `keyOf`, or `validate of <attribute>`.
 */
export function profileFailed(
  event: EventEnvelope,
  { name: profile }: Profile,
  part: string,
  happened: { readonly threw: unknown } | { readonly returned: unknown },
): EventError<'PROFILE_FAILED'> {
  const { id, type: eventType } = event;
  const what =
    'threw' in happened
      ? `threw: ${oneLine(messageOfThrown(happened.threw), 300)}`
      : `returned ${shown(happened.returned)}; it must return text or undefined`;
  return new EventError(
    'PROFILE_FAILED',
    `${eventLabel(event)}: ${oneLine(part)} of the profile "${oneLine(profile)}" ${what}`,
    { profile, part, eventType, ...(isText(id, maxTextLength) ? { eventId: id } : {}) },
    'threw' in happened ? { cause: happened.threw } : {},
  );
}
