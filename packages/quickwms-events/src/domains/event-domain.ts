/** What names of streams begin with unless said otherwise. */
export const defaultStreamPrefix = 'quickwms:events:';

/**
 * Names the domain of an event: the first segment of its type.
 *
 * @param eventType An event type such as `item.graded`, or a pattern such as `item.*`.
 * @returns The domain, such as `item`.
 * @throws {TypeError} If the type does not begin with a domain.
 */
export function getEventDomain(eventType: string): string {
  const [domain] = eventType.split('.', 1);
  if (!domain)
    throw new TypeError(
      `event type ${JSON.stringify(eventType)} must begin with a domain, as in "item.graded"`,
    );
  return domain;
}

/**
 * Names the Redis stream that carries an event.
 *
 * @param prefix What the names of all streams begin with; the separator is part of it.
 * @returns The prefix and the domain, such as `quickwms:events:item`.
 * @throws {TypeError} If the type does not begin with a domain.
 */
export function getStreamKeyForEvent(
  eventType: string,
  prefix: string = defaultStreamPrefix,
): string {
  return prefix + getEventDomain(eventType);
}
