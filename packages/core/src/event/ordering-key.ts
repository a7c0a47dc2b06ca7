import type { EventEnvelope, Profile } from './envelope.ts';
import { profileFailed } from './profile-failed.ts';

/**
 * The ordering key of an event: events with one key are handled one after the other.
 *
 * @returns The profile's key, else the subject, else the id. Never empty.
 * @throws {EventError} `PROFILE_FAILED` if the profile's rule throws, or returns what is no text.
 */
export function keyOf(event: EventEnvelope, profile: Profile): string {
  return keyByProfile(event, profile) || event.subject || event.id;
}

function keyByProfile(event: EventEnvelope, profile: Profile): string | undefined {
  if (!profile.keyOf) return undefined;
  let key: unknown;
  try {
    key = profile.keyOf(event);
  } catch (cause) {
    throw profileFailed(event, profile, 'keyOf', { threw: cause });
  }
  if (key === undefined || typeof key === 'string') return key;
  throw profileFailed(event, profile, 'keyOf', { returned: key });
}
