import type { EventEnvelope } from './envelope.ts';
import { EventError } from '../errors.ts';
import { eventLabel } from './event-label.ts';
import { oneLine } from '../text.ts';

/** How deep arrays and objects may lie in each other: `[[1]]` is 2 deep. */
export const maxJsonDepth: number = 100;

/** The largest event that is written or read unless an option says otherwise, in bytes. */
export const defaultMaxBytes: number = 1_048_576;

const tooDeep = 'is nested too deep';

/**
 * What the walk remembers. It lives out here because the walk is synchronous and runs for every
 * event: this way it allocates nothing.
 */
let bytesLeft = 0;
let readsCharacters = true;
/** The keys that lead from `data` to a fault, once there is one. */
const trail: (string | number)[] = [];
let trailLength = 0;

/**
 * Makes sure that JSON, and a JSONB column of PostgreSQL, keeps `data` as it is.
 *
 * A property that is `undefined` counts as absent. Refused is whatever would be changed, dropped or
 * called on the way: NaN, infinities, `-0` (written as `0`), BigInt, functions, symbols, `undefined`
 * in an array, instances of classes, `toJSON` methods, cycles, more than 100 levels, a key
 * `__proto__`, U+0000 and lone surrogates in keys or strings, and what throws when it is read.
 *
 * @param maxBytes Gives up as soon as the JSON is certain to be longer.
 * @throws {EventError} `PAYLOAD_NOT_JSON` with the path, `PAYLOAD_TOO_LARGE`
 */
export function assertJson(
  data: unknown,
  event: Pick<EventEnvelope, 'type' | 'id'>,
  maxBytes: number = defaultMaxBytes,
): void {
  walkFrom(data, event, maxBytes, true);
}

/**
 * As `assertJson`, except that it does not look into keys and strings: for a caller that goes on to
 * write the JSON, where U+0000 and lone surrogates show as `\u`.
 *
 * @throws {EventError} `PAYLOAD_NOT_JSON` with the path, `PAYLOAD_TOO_LARGE`
 */
export function assertJsonValues(
  data: unknown,
  event: Pick<EventEnvelope, 'type' | 'id'>,
  maxBytes: number = defaultMaxBytes,
): void {
  walkFrom(data, event, maxBytes, false);
}

/** The error for an event whose JSON is longer than allowed. */
export function payloadTooLarge(
  event: Pick<EventEnvelope, 'type' | 'id'>,
  bytes: number,
  maxBytes: number,
): EventError<'PAYLOAD_TOO_LARGE'> {
  return new EventError(
    'PAYLOAD_TOO_LARGE',
    `${eventLabel(event)}: the event takes ${bytes} bytes or more, the limit is ${maxBytes}; store the bulk elsewhere and publish a reference to it`,
    { eventType: event.type, eventId: event.id, bytes, maxBytes },
  );
}

function walkFrom(
  data: unknown,
  event: Pick<EventEnvelope, 'type' | 'id'>,
  maxBytes: number,
  characters: boolean,
): void {
  trailLength = 0;
  bytesLeft = maxBytes;
  readsCharacters = characters;
  let fault: string | undefined;
  try {
    fault = faultOf(data, 0);
    if (fault === tooDeep) fault = depthFault(data);
  } catch (cause) {
    throw notJson(event, 'throws when it is read', cause);
  }
  if (bytesLeft < 0) throw payloadTooLarge(event, maxBytes - bytesLeft, maxBytes);
  if (fault === undefined) return;
  throw notJson(event, fault);
}

function notJson(
  event: Pick<EventEnvelope, 'type' | 'id'>,
  fault: string,
  cause?: unknown,
): EventError<'PAYLOAD_NOT_JSON'> {
  const path = trail
    .slice(0, trailLength)
    .map((key) => oneLine(String(key)))
    .join('.');
  const where =
    path === '' ? 'data' : `data.${path.length > 200 ? `${path.slice(0, 200)}…` : path}`;
  return new EventError(
    'PAYLOAD_NOT_JSON',
    `${eventLabel(event)}: ${where} ${fault}`,
    { eventType: event.type, eventId: event.id, path },
    cause === undefined ? {} : { cause },
  );
}

/**
 * What is wrong with a value, if anything; `trail` then leads to it.
 *
 * Each value is charged with the fewest bytes it can take, so that a small object that refers to
 * itself many times over is given up before it fills the memory.
 */
function faultOf(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
      bytesLeft -= value.length + 3;
      return readsCharacters ? characterFault(value) : undefined;
    case 'number':
      bytesLeft -= 2;
      return numberFault(value);
    case 'boolean':
      bytesLeft -= 5;
      return undefined;
    case 'object':
      if (value === null) return undefined;
      bytesLeft -= 2;
      return Array.isArray(value) ? arrayFault(value, depth) : objectFault(value, depth);
    case 'undefined':
      return 'is undefined, which JSON drops; write null';
    case 'bigint':
      return 'is a BigInt; write it as a string';
    case 'function':
    case 'symbol':
      return `is a ${typeof value}, which JSON drops`;
  }
}

function numberFault(value: number): string | undefined {
  // The difference of NaN and of infinities to themselves is NaN.
  if (value - value !== 0) return `is ${value}, which JSON writes as null`;
  if (value === 0 && 1 / value < 0) return 'is -0, which JSON writes as 0; add 0 to it';
  return undefined;
}

function arrayFault(array: readonly unknown[], depth: number): string | undefined {
  if (depth >= maxJsonDepth) return tooDeep;
  if (hasToJson(array)) return 'has a toJSON method, which would write something else';
  let index = 0;
  try {
    for (; index < array.length && bytesLeft >= 0; index += 1) {
      const fault = faultOf(array[index], depth + 1);
      if (fault !== undefined) return at(depth, index, fault);
    }
  } catch (error) {
    at(depth, index, '');
    throw error;
  }
  return undefined;
}

function objectFault(object: object, depth: number): string | undefined {
  if (depth >= maxJsonDepth) return tooDeep;
  if (!isPlain(object)) return instanceFault(object);
  if (hasToJson(object)) return 'has a toJSON method, which would write something else';
  let reading: string | undefined;
  try {
    for (const key in object) {
      if (bytesLeft < 0) return undefined;
      reading = key;
      const fault = propertyFault(key, (object as Record<string, unknown>)[key], depth + 1);
      if (fault !== undefined) return at(depth, key, fault);
    }
  } catch (error) {
    if (reading !== undefined) at(depth, reading, '');
    throw error;
  }
  return undefined;
}

function propertyFault(key: string, value: unknown, depth: number): string | undefined {
  if (key === '__proto__') return 'is a key that can change the prototype of objects; rename it';
  if (value === undefined) return undefined;
  bytesLeft -= key.length + 3;
  return (readsCharacters ? characterFault(key) : undefined) ?? faultOf(value, depth);
}

/** Adds a step to the way that leads to a fault; called from the fault outwards. */
function at(depth: number, key: string | number, fault: string): string {
  trail[depth] = key;
  trailLength = Math.max(trailLength, depth + 1);
  return fault;
}

function hasToJson(object: object): boolean {
  return typeof (object as { toJSON?: unknown }).toJSON === 'function';
}

/** An object literal, one without prototype, or an object literal of another realm. */
function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object) as object | null;
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

function instanceFault(object: object): string {
  if (object instanceof Date) return 'is a Date; write its toISOString()';
  if (object instanceof Map) return 'is a Map; write Object.fromEntries() of it';
  if (object instanceof Set) return 'is a Set; write an array of its values';
  if (ArrayBuffer.isView(object)) return 'holds bytes; write them in base64';
  const { name } = (object as { constructor?: { name?: unknown } }).constructor ?? {};
  const type = typeof name === 'string' && name !== '' ? oneLine(name) : 'class';
  return `is an instance of ${type}; write a plain object`;
}

function characterFault(text: string): string | undefined {
  if (text.includes('\0')) return 'contains U+0000, which PostgreSQL cannot keep';
  if (!text.isWellFormed()) return 'contains half a surrogate pair, which UTF-8 cannot carry';
  return undefined;
}

/** Tells a cycle, which is what usually gets so deep, from honest depth. */
function depthFault(data: unknown): string {
  const above = new Set<unknown>();
  let value = data;
  for (let depth = 0; depth < trailLength; depth += 1) {
    above.add(value);
    value = (value as Record<string | number, unknown>)[trail[depth]!];
    if (above.has(value)) {
      trailLength = depth + 1;
      return 'refers to an object that it is part of';
    }
  }
  return `is nested more than ${maxJsonDepth} deep; flatten it`;
}
