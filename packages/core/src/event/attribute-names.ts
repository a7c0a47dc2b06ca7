import type { EventEnvelope, EventMetadata } from './envelope.ts';

/** The engine's own attributes: their names in code, and those on the wire. */
export const wireNames: Readonly<
  Record<Exclude<keyof EventEnvelope, 'metadata' | 'extensions'>, string>
> = {
  specversion: 'specversion',
  id: 'id',
  source: 'source',
  type: 'type',
  datacontenttype: 'datacontenttype',
  time: 'time',
  subject: 'subject',
  dataschema: 'dataschema',
  correlationId: 'correlationid',
  causationId: 'causationid',
  userId: 'userid',
  version: 'version',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  data: 'data',
};

/** What is in `metadata`: its names in code, and those of the attributes that carry it on the wire. */
export const metadataNames: Readonly<Record<keyof EventMetadata, string>> = {
  retryCount: 'retrycount',
  originalTimestamp: 'originaltimestamp',
  environment: 'environment',
};

/** Every property that an envelope has without a profile. */
export const engineAttributes: ReadonlySet<string> = new Set([
  ...Object.keys(wireNames),
  'metadata',
  'extensions',
]);

export const metadataWireNames: ReadonlySet<string> = new Set(Object.values(metadataNames));

/** Names on the wire that no extension and no attribute of a profile may have. */
export const reservedNames: ReadonlySet<string> = new Set(Object.values(wireNames));
