import {
  isEnvironment,
  isExtensionName,
  isInteger,
  isJsonContentType,
  isText,
  isTimestamp,
  isTypeName,
  isUri,
  isUriReference,
  maxLongTextLength,
  maxTextLength,
} from './attribute-rules.ts';
import {
  engineAttributes,
  metadataAttributes,
  metadataWireNames,
  reservedNames,
} from './attribute-names.ts';
import type { EventEnvelope, EventMetadata, Profile } from './envelope.ts';
import { EventError } from './errors.ts';
import { eventLabel, oneLine, shown } from './event-label.ts';

const shortText = `must be 1 to ${maxTextLength} characters`;
const longText = `must be 1 to ${maxLongTextLength} characters`;
const time = 'must be an RFC 3339 time with a zone, such as 2026-01-31T12:00:00.000Z';

/**
 * Holds the attributes of an event against CloudEvents 1.0, our bounds and the profile; `data` is
 * not looked at. A property that nobody knows is refused, because it would not be written.
 *
 * @throws {EventError} `ENVELOPE_INVALID`; `details.attribute` is the first that is wrong, by its
 *   name in code, such as `correlationId`, `metadata.environment` or `extensions.region`.
 */
export function checkEnvelope(event: EventEnvelope, profile: Profile): void {
  checkAttributes(event, profile);
  checkNames(event, profile);
}

/** As `checkEnvelope`, for an event that cannot have unknown properties. @throws As `checkEnvelope`. */
export function checkAttributes(event: EventEnvelope, profile: Profile): void {
  if (!isText(event.id, maxTextLength)) throw invalid(event, 'id', shortText, event.id);
  if (!isUriReference(event.source)) {
    throw invalid(
      event,
      'source',
      `must be a URI reference of 1 to ${maxTextLength} characters, such as a service's name`,
      event.source,
    );
  }
  if (event.specversion !== '1.0')
    throw invalid(event, 'specversion', 'must be "1.0"', event.specversion);
  if (!isTypeName(event.type)) {
    throw invalid(
      event,
      'type',
      `must be dotted segments of letters, digits, "_" and "-", at most ${maxTextLength} characters`,
      event.type,
    );
  }
  if (!isJsonContentType(event.datacontenttype)) {
    throw invalid(
      event,
      'datacontenttype',
      'must be "application/json" or end in "+json"',
      event.datacontenttype,
    );
  }
  if (!isTimestamp(event.time)) throw invalid(event, 'time', time, event.time);
  if (!isInteger(event.version, 1))
    throw invalid(event, 'version', 'must be a whole number from 1 to 2147483647', event.version);
  checkOptional(event);
  if (event.metadata !== undefined) checkMetadata(event, event.metadata);
  checkProfile(event, profile);
  if (event.extensions !== undefined) checkExtensions(event, profile, event.extensions);
}

function checkOptional(event: EventEnvelope): void {
  checkText(event, 'subject', event.subject, maxTextLength);
  checkText(event, 'correlationId', event.correlationId, maxTextLength);
  checkText(event, 'causationId', event.causationId, maxTextLength);
  checkText(event, 'userId', event.userId, maxTextLength);
  checkText(event, 'traceparent', event.traceparent, maxTextLength);
  checkText(event, 'tracestate', event.tracestate, maxLongTextLength);
  if (event.dataschema !== undefined && !isUri(event.dataschema)) {
    throw invalid(
      event,
      'dataschema',
      `must be an absolute URI of at most ${maxLongTextLength} characters`,
      event.dataschema,
    );
  }
}

function checkText(
  event: EventEnvelope,
  attribute: string,
  value: unknown,
  maxLength: number,
): void {
  if (value === undefined || isText(value, maxLength)) return;
  throw invalid(event, attribute, maxLength === maxTextLength ? shortText : longText, value);
}

function checkMetadata(event: EventEnvelope, metadata: EventMetadata): void {
  if (typeof metadata !== 'object' || metadata === null)
    throw invalid(event, 'metadata', 'must be an object', metadata);
  if (!isInteger(metadata.retryCount, 0)) {
    throw invalid(
      event,
      'metadata.retryCount',
      'must be a whole number from 0 to 2147483647',
      metadata.retryCount,
    );
  }
  if (!isEnvironment(metadata.environment)) {
    throw invalid(
      event,
      'metadata.environment',
      'must be development, staging or production',
      metadata.environment,
    );
  }
  if (metadata.originalTimestamp !== undefined && !isTimestamp(metadata.originalTimestamp)) {
    throw invalid(event, 'metadata.originalTimestamp', time, metadata.originalTimestamp);
  }
  for (const name in metadata) {
    if (metadataAttributes.has(name)) continue;
    throw invalid(
      event,
      `metadata.${name}`,
      'is not known; put it into extensions or data',
      (metadata as unknown as Record<string, unknown>)[name],
    );
  }
}

function checkProfile(event: EventEnvelope, profile: Profile): void {
  const { attributes } = profile;
  for (let index = 0; index < attributes.length; index += 1) {
    const { name, validate } = attributes[index]!;
    const value = (event as unknown as Record<string, unknown>)[name];
    if (value === undefined) continue;
    if (typeof value === 'string' ? !isText(value, maxTextLength) : !isScalar(value)) {
      throw invalid(event, name, `${shortText}, a boolean or a 32-bit integer`, value);
    }
    const fault = validate(value);
    if (fault !== undefined) throw invalid(event, name, fault, value);
  }
}

function checkExtensions(event: EventEnvelope, profile: Profile, extensions: object): void {
  if (typeof extensions !== 'object' || extensions === null || Array.isArray(extensions)) {
    throw invalid(event, 'extensions', 'must be an object of attributes by name', extensions);
  }
  for (const [name, value] of Object.entries(extensions)) {
    const attribute = `extensions.${name}`;
    if (!isExtensionName(name))
      throw invalid(
        event,
        attribute,
        'must be named with 1 to 20 lower-case letters and digits',
        value,
      );
    if (isReserved(name, event, profile))
      throw invalid(
        event,
        attribute,
        'is the name of an attribute that is no extension; rename it',
        value,
      );
    if (value === undefined || value === '' || isText(value, maxLongTextLength) || isScalar(value))
      continue;
    throw invalid(
      event,
      attribute,
      `must be at most ${maxLongTextLength} characters, a boolean or a 32-bit integer`,
      value,
    );
  }
}

function isScalar(value: unknown): boolean {
  return typeof value === 'boolean' || isInteger(value);
}

/** Says whether an extension of this name would take the place of something else on the wire. */
function isReserved(name: string, event: EventEnvelope, profile: Profile): boolean {
  if (reservedNames.has(name)) return true;
  if (event.metadata !== undefined && metadataWireNames.has(name)) return true;
  return profile.attributes.some(({ wire }) => wire === name);
}

function checkNames(event: EventEnvelope, profile: Profile): void {
  for (const name in event) {
    if (engineAttributes.has(name)) continue;
    if (profile.attributes.some((attribute) => attribute.name === name)) continue;
    const value = (event as unknown as Record<string, unknown>)[name];
    if (value === undefined) continue;
    throw invalid(
      event,
      name,
      `is no attribute of the profile "${profile.name}"; put it into extensions or data`,
      value,
    );
  }
}

function invalid(
  event: EventEnvelope,
  attribute: string,
  rule: string,
  value: unknown,
): EventError<'ENVELOPE_INVALID'> {
  return new EventError(
    'ENVELOPE_INVALID',
    `${eventLabel(event)}: ${oneLine(attribute)} ${rule}, got ${shown(value)}`,
    {
      ...(isText(event.id, maxTextLength) ? { eventId: event.id } : {}),
      attribute: oneLine(attribute),
    },
  );
}
