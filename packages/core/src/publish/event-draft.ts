import type { Clock } from '../clock.ts';
import type { EventEnvelope, EventMetadata, ExtensionValue } from '../event/envelope.ts';
import { currentScope } from '../handler-scope.ts';
import type { Ids } from '../ids.ts';
import { isoTime } from '../event/iso-time.ts';

/** What a caller says of an event; the publisher adds the rest. Profile attributes are further properties. */
export interface EventDraft<T = unknown> {
  type: string;
  data: T;
  id?: string;
  source?: string;
  time?: string;
  subject?: string;
  dataschema?: string;
  version?: number;
  /** Unless given: that of the event being handled, or the new event's own id. */
  correlationId?: string;
  /** Unless given: the id of the event being handled. */
  causationId?: string;
  /** Unless given: that of the event being handled. */
  userId?: string;
  traceparent?: string;
  tracestate?: string;
  metadata?: EventMetadata;
  extensions?: Record<string, ExtensionValue>;
}

/**
 * Makes the event that a draft asks for.
 *
 * Made inside a handler it follows from the event being handled: same correlation, caused by it, for the
 * same user, in the same trace. What the draft says wins.
 */
export function completeDraft(
  draft: EventDraft,
  options: { source: string; version: number; ids: Ids; clock: Clock },
): EventEnvelope {
  const id = draft.id ?? options.ids();
  const made: EventEnvelope = {
    id,
    source: options.source,
    specversion: '1.0',
    type: draft.type,
    datacontenttype: 'application/json',
    time: isoTime(options.clock.now()),
    version: options.version,
    correlationId: id,
    ...inherited(),
    data: undefined,
  };
  const event = { ...made, ...draft };
  return hasUndefined(event) ? { ...made, ...withoutUndefined(draft) } : event;
}

/** What follows from the event being handled, if any. */
function inherited(): Partial<EventEnvelope> {
  const event = currentScope()?.event;
  if (!event) return {};
  const { id, correlationId = id, userId, traceparent, tracestate } = event;
  return {
    correlationId,
    causationId: id,
    ...(userId ? { userId } : {}),
    ...(traceparent ? { traceparent } : {}),
    ...(tracestate ? { tracestate } : {}),
  };
}

function hasUndefined(event: object): boolean {
  for (const name in event) {
    if ((event as Record<string, unknown>)[name] === undefined) return true;
  }
  return false;
}

/** An option given as `undefined` is an option not given. */
function withoutUndefined(draft: EventDraft): EventDraft {
  return Object.fromEntries(
    Object.entries(draft).filter(([, value]) => value !== undefined),
  ) as unknown as EventDraft;
}
