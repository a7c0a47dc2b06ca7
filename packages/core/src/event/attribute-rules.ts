import { isText, maxTextLength } from '../text.ts';
import type { AttributeType, EventMetadata, ExtensionValue } from './envelope.ts';

/** Longest schema URI, trace state or extension value, in UTF-16 units. */
export const maxLongTextLength: number = 8_192;

/** The largest integer that a CloudEvents attribute can hold; the smallest is one below its negative. */
export const maxInteger: number = 2 ** 31 - 1;

const typeName = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** Says whether a value can be the type of an event: dotted segments of letters, digits, `_` and `-`. */
export function isTypeName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxTextLength && typeName.test(value);
}

const pathCharacters = String.raw`(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})`;
const authority = String.raw`(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@)?(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::\d*)?`;
const afterScheme = String.raw`(?://${authority}(?:/${pathCharacters}*)*|/?(?:${pathCharacters}+(?:/${pathCharacters}*)*)?)(?:\?(?:${pathCharacters}|[/?])*)?(?:#(?:${pathCharacters}|[/?])*)?$`;
const uri = new RegExp(`^[A-Za-z][A-Za-z0-9+.-]*:${afterScheme}`);
const relativeReference = new RegExp(`^(?![^/?#]*:)${afterScheme}`);
const serviceName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Says whether a value is an absolute URI with an optional fragment. @see RFC 3986, section 3 */
export function isUri(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxLongTextLength && uri.test(value);
}

/** Says whether a value is a URI or a relative reference, and not empty. @see RFC 3986, section 4.1 */
export function isUriReference(value: unknown): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > maxTextLength) return false;
  return serviceName.test(value) || uri.test(value) || relativeReference.test(value);
}

const timestamp =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/**
 * Says whether a value is a time that every party can keep: RFC 3339 with a zone, in a year from
 * 0001 to 9999 (PostgreSQL knows no year 0, RFC 3339 no year 10000), without leap second.
 */
export function isTimestamp(value: unknown): value is string {
  if (typeof value !== 'string' || !timestamp.test(value)) return false;
  if (value >= '0002' && value < '9999' && value.slice(8, 10) < '29') return true;
  if (value.startsWith('0000') || Number(value.slice(8, 10)) > daysInMonth(value)) return false;
  // The zone may carry a time at the edge into the next year.
  const year = new Date(value.toUpperCase()).getUTCFullYear();
  return year >= 1 && year <= 9999;
}

function daysInMonth(time: string): number {
  // Day 0 of a month is the last of the one before; `setUTCFullYear` takes years below 100 as they are.
  const day = new Date(0);
  day.setUTCFullYear(Number(time.slice(0, 4)), Number(time.slice(5, 7)), 0);
  return day.getUTCDate();
}

const extensionName = /^[a-z0-9]{1,20}$/;

/** Says whether a name is legal for an extension attribute: 1 to 20 lower-case letters and digits. */
export function isExtensionName(name: string): boolean {
  return extensionName.test(name);
}

/** Says whether a value is a whole number that a CloudEvents attribute can hold. */
export function isInteger(value: unknown, min: number = -maxInteger - 1): value is number {
  return (
    Number.isInteger(value) &&
    (value as number) >= min &&
    (value as number) <= maxInteger &&
    !Object.is(value, -0)
  );
}

/** Says whether a value can be that of an attribute of this type. */
export function isOfType(value: unknown, type: AttributeType): value is ExtensionValue {
  if (type === 'string') return isText(value, maxTextLength);
  return type === 'integer' ? isInteger(value) : typeof value === 'boolean';
}

const jsonMediaType = /^[a-z0-9!#$&^_.+-]+\/(?:[a-z0-9!#$&^_.+-]+\+)?json$/;

/** Says whether a content type means JSON in UTF-8: `application/json` or any `+json`. */
export function isJsonContentType(value: unknown): value is string {
  if (value === 'application/json') return true;
  if (!isText(value, maxTextLength)) return false;
  const [mediaType, ...parameters] = value
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  return jsonMediaType.test(mediaType!) && parameters.every(isHarmlessParameter);
}

function isHarmlessParameter(parameter: string): boolean {
  return !parameter.startsWith('charset') || /^charset="?utf-?8"?$/.test(parameter);
}

/** Says whether a value is one of the environments that metadata may name. */
export function isEnvironment(value: unknown): value is EventMetadata['environment'] {
  return value === 'production' || value === 'staging' || value === 'development';
}
