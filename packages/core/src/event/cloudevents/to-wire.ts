import type { EventEnvelope, Profile } from '../envelope.ts';
import type { WireEvent } from './wire-event.ts';

/**
 * Writes an envelope under the names of the wire. Nothing is checked, `data` is not copied.
 *
 * @returns An object whose JSON is a structured-mode CloudEvent.
 */
export function toWire(event: EventEnvelope, profile: Profile): WireEvent {
  const wire: WireEvent = {
    specversion: event.specversion,
    id: event.id,
    source: event.source,
    type: event.type,
    datacontenttype: event.datacontenttype,
    time: event.time,
    version: event.version,
  };
  writeOptional(event, wire);
  const { attributes } = profile;
  for (let index = 0; index < attributes.length; index += 1) {
    const attribute = attributes[index]!;
    const value = (event as unknown as WireEvent)[attribute.name];
    if (value !== undefined) wire[attribute.wire] = value;
  }
  if (event.extensions !== undefined) Object.assign(wire, event.extensions);
  wire.data = event.data;
  return wire;
}

function writeOptional(event: EventEnvelope, wire: WireEvent): void {
  if (event.subject !== undefined) wire.subject = event.subject;
  if (event.dataschema !== undefined) wire.dataschema = event.dataschema;
  if (event.correlationId !== undefined) wire.correlationid = event.correlationId;
  if (event.causationId !== undefined) wire.causationid = event.causationId;
  if (event.userId !== undefined) wire.userid = event.userId;
  if (event.traceparent !== undefined) wire.traceparent = event.traceparent;
  if (event.tracestate !== undefined) wire.tracestate = event.tracestate;
  const { metadata } = event;
  if (metadata === undefined) return;
  wire.retrycount = metadata.retryCount;
  wire.environment = metadata.environment;
  if (metadata.originalTimestamp !== undefined) {
    wire.originaltimestamp = metadata.originalTimestamp;
  }
}
