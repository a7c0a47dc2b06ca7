import type { RedisStreamEventBusConfig } from '@quickwms/events';

type Observation = Parameters<NonNullable<RedisStreamEventBusConfig['observer']>>[0];

/** Something that Redis had accepted and no longer has. */
export type Loss = Extract<Observation, { kind: 'lost' }>;

/**
 * Says in a line what Redis has lost, and of whom.
 *
 * @param service The one that found out.
 */
export function describeLoss(
  { stream, group, after, until, ...loss }: Loss,
  service: string,
): string {
  const what = after === undefined ? until : `everything behind ${after} up to ${until}`;
  const whose = group === undefined ? `which ${service} had published` : `needed by ${group}`;
  const event = loss.eventId === undefined ? '' : `, event ${loss.eventId}`;
  return `Redis has lost ${what} of ${stream}, ${whose}${event} (${loss.reason})`;
}
