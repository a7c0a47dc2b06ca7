import {
  isEnvironment,
  isExtensionName,
  isInteger,
  isOfType,
  isJsonContentType,
  isTimestamp,
  isTypeName,
  isUri,
  isUriReference,
  maxInteger,
  maxLongTextLength,
} from './attribute-rules.ts';
import { isText, maxTextLength } from '../text.ts';
import { engineAttributes, metadataWireNames, reservedNames } from './attribute-names.ts';
import type { AttributeType, EventEnvelope, Profile, ProfileAttribute } from './envelope.ts';
import { EventError } from '../errors.ts';
import { eventLabel } from './event-label.ts';
import { profileFailed } from './profile-failed.ts';
import { oneLine, shown } from '../text.ts';

const clean = 'with no control, broken or reserved character among them';
const shortText = `must be 1 to ${maxTextLength} characters, ${clean}`;
const longText = `must be 1 to ${maxLongTextLength} characters, ${clean}`;
const sourceRule = `must be a URI reference of 1 to ${maxTextLength} characters, such as a service's name`;
const typeRule = `must be dotted segments of letters, digits, "_" and "-", at most ${maxTextLength} characters`;
const jsonRule = 'must be "application/json" or end in "+json"';
const timeRule = 'must be an RFC 3339 time with a zone, such as 2026-01-31T12:00:00.000Z';
const versionRule = `must be a whole number from 1 to ${maxInteger}`;
const schemaRule = `must be an absolute URI of at most ${maxLongTextLength} characters`;
const profileRules: Readonly<Record<AttributeType, string>> = {
  string: shortText,
  integer: 'must be a 32-bit integer',
  boolean: 'must be true or false',
};
const extensionRule = `must be at most ${maxLongTextLength} characters, ${clean}; or a boolean or a 32-bit integer`;

/**
 * Holds the attributes of an event against CloudEvents 1.0, our bounds and the profile; `data` is
 * not looked at. A property that nobody knows is refused, because it would not be written.
 *
 * @throws {EventError} `ENVELOPE_INVALID`; `details.attribute` is the first that is wrong, by its
 *   name in code, such as `correlationId`, `metadata.environment` or `extensions.region`. `PROFILE_FAILED` if
 *   the profile itself could not tell.
 */
export function checkEnvelope(event: EventEnvelope, profile: Profile): void {
  const known =
    checkRequired(event) +
    checkOptional(event) +
    checkMetadata(event) +
    checkProfile(event, profile) +
    checkExtensions(event, profile);
  // Counting is a fraction of the work of looking at each name; undefined properties count here only.
  if (countKeys(event) !== known) checkNames(event, profile);
}

/** @returns How many properties it has seen, as do the checks below. */
function checkRequired(event: EventEnvelope): number {
  demand(isText(event.id, maxTextLength), event, 'id', shortText, event.id);
  demand(isUriReference(event.source), event, 'source', sourceRule, event.source);
  demand(event.specversion === '1.0', event, 'specversion', 'must be "1.0"', event.specversion);
  demand(isTypeName(event.type), event, 'type', typeRule, event.type);
  const { datacontenttype } = event;
  demand(isJsonContentType(datacontenttype), event, 'datacontenttype', jsonRule, datacontenttype);
  demand(isTimestamp(event.time), event, 'time', timeRule, event.time);
  demand(isInteger(event.version, 1), event, 'version', versionRule, event.version);
  return event.data === undefined ? 7 : 8;
}

function checkOptional(event: EventEnvelope): number {
  const { dataschema, tracestate } = event;
  if (dataschema !== undefined) {
    demand(isUri(dataschema), event, 'dataschema', schemaRule, dataschema);
  }
  if (tracestate !== undefined) {
    demand(isText(tracestate, maxLongTextLength), event, 'tracestate', longText, tracestate);
  }
  return (
    checkText(event, 'subject', event.subject) +
    checkText(event, 'correlationId', event.correlationId) +
    checkText(event, 'causationId', event.causationId) +
    checkText(event, 'userId', event.userId) +
    checkText(event, 'traceparent', event.traceparent) +
    Number(dataschema !== undefined) +
    Number(tracestate !== undefined)
  );
}

function checkText(event: EventEnvelope, attribute: string, value: unknown): number {
  if (value === undefined) return 0;
  demand(isText(value, maxTextLength), event, attribute, shortText, value);
  return 1;
}

function checkMetadata(event: EventEnvelope): number {
  const { metadata } = event;
  if (metadata === undefined) return 0;
  demand(isObject(metadata), event, 'metadata', 'must be an object', metadata);
  const { retryCount, environment, originalTimestamp } = metadata;
  const countRule = `must be a whole number from 0 to ${maxInteger}`;
  demand(isInteger(retryCount, 0), event, 'metadata.retryCount', countRule, retryCount);
  const environmentRule = 'must be development, staging or production';
  demand(isEnvironment(environment), event, 'metadata.environment', environmentRule, environment);
  const isTimely = originalTimestamp === undefined || isTimestamp(originalTimestamp);
  demand(isTimely, event, 'metadata.originalTimestamp', timeRule, originalTimestamp);
  for (const name in metadata) {
    if (name === 'retryCount' || name === 'environment' || name === 'originalTimestamp') continue;
    const value = (metadata as unknown as Record<string, unknown>)[name];
    throw invalid(event, `metadata.${name}`, 'is not known; put it into extensions or data', value);
  }
  return 1;
}

function checkProfile(event: EventEnvelope, profile: Profile): number {
  const { attributes } = profile;
  let seen = 0;
  for (let index = 0; index < attributes.length; index += 1) {
    const attribute = attributes[index]!;
    const value = (event as unknown as Record<string, unknown>)[attribute.name];
    if (value === undefined) continue;
    const { name, type = 'string' } = attribute;
    demand(isOfType(value, type), event, name, profileRules[type], value);
    const fault = faultOf(value, attribute, event, profile);
    if (fault !== undefined) throw invalid(event, name, fault, value);
    seen += 1;
  }
  return seen;
}

/** What a profile finds wrong with a value of its own. Its code is not ours. */
function faultOf(
  value: unknown,
  attribute: ProfileAttribute,
  event: EventEnvelope,
  profile: Profile,
): string | undefined {
  let fault: unknown;
  try {
    fault = attribute.validate(value);
  } catch (cause) {
    throw profileFailed(event, profile, `validate of ${attribute.name}`, { threw: cause });
  }
  if (fault === undefined || typeof fault === 'string') return fault;
  throw profileFailed(event, profile, `validate of ${attribute.name}`, { returned: fault });
}

function checkExtensions(event: EventEnvelope, profile: Profile): number {
  const { extensions } = event;
  if (extensions === undefined) return 0;
  demand(isObject(extensions), event, 'extensions', 'must be an object', extensions);
  for (const [name, value] of Object.entries(extensions)) {
    const attribute = `extensions.${name}`;
    const nameRule = 'must be named with 1 to 20 lower-case letters and digits';
    demand(isExtensionName(name), event, attribute, nameRule, value);
    const isFree = !isReserved(name, event, profile);
    demand(isFree, event, attribute, 'has the name of another attribute; rename it', value);
    const isLegal = value === '' || isText(value, maxLongTextLength) || isScalar(value);
    demand(isLegal || value === undefined, event, attribute, extensionRule, value);
  }
  return 1;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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

function countKeys(event: EventEnvelope): number {
  let count = 0;
  for (const _ in event) count += 1;
  return count;
}

function checkNames(event: EventEnvelope, profile: Profile): void {
  const rule = `is no attribute of the profile "${profile.name}"; put it into extensions or data`;
  for (const [name, value] of Object.entries(event)) {
    if (value === undefined || engineAttributes.has(name)) continue;
    if (profile.attributes.some((attribute) => attribute.name === name)) continue;
    throw invalid(event, name, rule, value);
  }
}

function demand(
  holds: boolean,
  event: EventEnvelope,
  attribute: string,
  rule: string,
  value: unknown,
): void {
  if (!holds) throw invalid(event, attribute, rule, value);
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
