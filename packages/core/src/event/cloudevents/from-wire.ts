import { metadataWireNames, reservedNames } from '../attribute-names.ts';
import { isEnvironment, isInteger, isJsonContentType, isTimestamp } from '../attribute-rules.ts';
import { systemClock } from '../../clock.ts';
import type { EventEnvelope, Profile } from '../envelope.ts';
import { checkEnvelope } from '../envelope-check.ts';
import { eventLabel } from '../event-label.ts';
import { shown } from '../../text.ts';
import { isoTime } from '../iso-time.ts';
import type { Observer } from '../../observer.ts';
import { respell } from './spelling.ts';
import { unparseable } from './unparseable.ts';
import type { WireEvent } from './wire-event.ts';

export interface FromWireOptions {
  /** Time of an event that comes without one, in milliseconds since the epoch; the machine's clock unless given. */
  now?: () => number;
  /** Hears of each attribute that came in camel case. */
  observe?: Observer;
}

/**
 * Reads an event from the names of the wire, and checks it.
 *
 * Attributes that nobody knows become `extensions`. An event without `time` gets the current one,
 * without `version` version 1, without `data` the data `null`. `retrycount` and `environment` make
 * `metadata` when they are of the right kind; else they are somebody else's extensions.
 *
 * @throws {EventError} `ENVELOPE_INVALID`, `ENVELOPE_CONFLICT` if two spellings of an attribute
 *   differ, `MESSAGE_UNPARSEABLE` if the data is not JSON.
 */
export function fromWire(
  wire: WireEvent,
  profile: Profile,
  options: FromWireOptions = {},
): EventEnvelope {
  const event = startOf(wire, options);
  const taken =
    countRequired(wire) +
    takeOptional(wire, event) +
    takeMetadata(wire, event) +
    takeProfile(wire, event, profile);
  const read = (taken === countKeys(wire)
    ? event
    : readUncommon(wire, profile, options)) as unknown as EventEnvelope;
  checkEnvelope(read, profile);
  return read;
}

/** What every envelope has. The parts are of any type until the check. */
function startOf(wire: WireEvent, options: FromWireOptions): WireEvent {
  const datacontenttype = wire.datacontenttype ?? 'application/json';
  if (!isJsonContentType(datacontenttype)) {
    throw unparseable(
      `${eventLabel(wire)}: datacontenttype ${shown(datacontenttype)} is not JSON in UTF-8`,
    );
  }
  return {
    id: wire.id,
    source: wire.source,
    specversion: wire.specversion,
    type: wire.type,
    datacontenttype,
    time: wire.time ?? isoTime((options.now ?? systemClock.now)()),
    version: wire.version ?? 1,
    data: wire.data ?? null,
  };
}

/** How many of the attributes that `startOf` reads are there and need nothing done to them. */
function countRequired(wire: WireEvent): number {
  return (
    Number(isSet(wire.id)) +
    Number(isSet(wire.source)) +
    Number(isSet(wire.specversion)) +
    Number(isSet(wire.type)) +
    Number(isSet(wire.datacontenttype)) +
    Number(isSet(wire.time)) +
    Number(typeof wire.version === 'number') +
    Number(wire.data !== undefined)
  );
}

/** @returns How many attributes it has taken over. */
function takeOptional(wire: WireEvent, event: WireEvent): number {
  const { subject, dataschema, correlationid, causationid, userid, traceparent, tracestate } = wire;
  if (isSet(subject)) event.subject = subject;
  if (isSet(dataschema)) event.dataschema = dataschema;
  if (isSet(correlationid)) event.correlationId = correlationid;
  if (isSet(causationid)) event.causationId = causationid;
  if (isSet(userid)) event.userId = userid;
  if (isSet(traceparent)) event.traceparent = traceparent;
  if (isSet(tracestate)) event.tracestate = tracestate;
  return (
    Number(isSet(subject)) +
    Number(isSet(dataschema)) +
    Number(isSet(correlationid)) +
    Number(isSet(causationid)) +
    Number(isSet(userid)) +
    Number(isSet(traceparent)) +
    Number(isSet(tracestate))
  );
}

/** @returns How many attributes it has taken over: those of `metadata`, or none of them. */
function takeMetadata(wire: WireEvent, event: WireEvent): number {
  const { retrycount, environment, originaltimestamp } = wire;
  if (!isInteger(retrycount, 0) || !isEnvironment(environment)) return 0;
  if (!isSet(originaltimestamp)) {
    event.metadata = { retryCount: retrycount, environment };
    return 2;
  }
  if (!isTimestamp(originaltimestamp)) return 0;
  event.metadata = {
    retryCount: retrycount,
    originalTimestamp: originaltimestamp,
    environment,
  };
  return 3;
}

/** @returns How many attributes it has taken over. */
function takeProfile(wire: WireEvent, event: WireEvent, { attributes }: Profile): number {
  let taken = 0;
  for (let index = 0; index < attributes.length; index += 1) {
    const attribute = attributes[index]!;
    const value = wire[attribute.wire];
    if (!isSet(value)) continue;
    event[attribute.name] = value;
    taken += 1;
  }
  return taken;
}

/** Reads an event that has something besides the common attributes in their common form. */
function readUncommon(given: WireEvent, profile: Profile, options: FromWireOptions): WireEvent {
  const wire = respell(given, profile, options.observe);
  const event = startOf(wire, options);
  takeOptional(wire, event);
  takeMetadata(wire, event);
  takeProfile(wire, event, profile);
  const rest = Object.entries(wire).filter(([name]) => {
    if (reservedNames.has(name) || profile.attributes.some((known) => known.wire === name))
      return false;
    return event.metadata === undefined || !metadataWireNames.has(name);
  });
  // From entries, because that makes a key `__proto__` a property, which the check then refuses.
  if (rest.length > 0) event.extensions = Object.fromEntries(rest);
  return event;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function countKeys(object: object): number {
  let count = 0;
  for (const _ in object) count += 1;
  return count;
}
