import { findJsonFault } from './json-fault.ts';
import { unparseable } from './unparseable.ts';

/** A member that is lost takes at least this many characters: `"":0,`. So does a `\u` escape, beyond the character it stands for. */
const leastLoss = 5;

/** How many characters the numbers of a text may have saved by an exponent; see `compactLength`. */
let spare = 0;

/**
 * Parses JSON and refuses what parsing would change in silence: duplicate keys, whole numbers that a
 * double cannot hold, numbers out of its range, `-0`, U+0000, halves of surrogate pairs, keys
 * `__proto__`. Fractions are rounded to the nearest double, as everywhere in JavaScript.
 *
 * @param what Names the text in messages, e.g. `the body`.
 * @param maxDepth How deep arrays and objects may lie in each other.
 * @throws {EventError} `MESSAGE_UNPARSEABLE`
 */
export function parseExactly(text: string, what: string, maxDepth: number): unknown {
  const value = parse(text, what);
  if (!text.isWellFormed()) throw unparseable(`${what} contains half a surrogate pair`);
  spare = 0;
  if (compactLength(value, maxDepth) === text.length && spare < leastLoss) return value;
  const fault = findJsonFault(text, maxDepth);
  if (fault !== undefined) throw unparseable(`${what} ${fault}`);
  return value;
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unparseable(`${what} ${syntaxFault(text, cause)}`, { cause });
  }
}

function syntaxFault(text: string, error: unknown): string {
  if (text.trim() === '') return 'is empty';
  if (text.startsWith('\uFEFF')) return 'starts with a byte order mark; send JSON without it';
  const position = /at position (\d+)/.exec(String(error))?.[1];
  return `is not JSON${position === undefined ? '' : ` from character ${position} on`}`;
}

/**
 * The length of a value's JSON without white space, or NaN where only the text can tell whether
 * parsing has changed something.
 *
 * When the text is just as long, it holds nothing that the value does not: a lost member, white
 * space and escapes make it longer, and so does every other way to write a number but one. An
 * exponent can be shorter (`1e6`); `spare` adds up by how much at most. This takes a fifth of the
 * time of looking through the text, and nearly every text passes.
 */
function compactLength(value: unknown, levels: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value === 'number') return numberLength(value);
  if (typeof value !== 'object') return value ? 4 : 5;
  if (value === null) return 4;
  if (levels === 0) return Number.NaN;
  return Array.isArray(value) ? arrayLength(value, levels - 1) : objectLength(value, levels - 1);
}

function arrayLength(array: readonly unknown[], levels: number): number {
  let length = array.length === 0 ? 2 : 1;
  for (let index = 0; index < array.length; index += 1)
    length += compactLength(array[index], levels) + 1;
  return length;
}

function objectLength(object: object, levels: number): number {
  let length = 1;
  for (const key in object) {
    if (key === '__proto__') return Number.NaN;
    const value = (object as Record<string, unknown>)[key];
    length +=
      key.length +
      4 +
      (typeof value === 'string' ? value.length + 2 : compactLength(value, levels));
  }
  return length === 1 ? 2 : length;
}

function numberLength(value: number): number {
  if ((value | 0) === value && value > 0 && value < 1_000)
    return value < 10 ? 1 : value < 100 ? 2 : 3;
  if (Object.is(value, -0) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return Number.NaN;
  const { length } = String(value);
  if (value % 1_000 === 0 && value !== 0) spare += zerosSaved(value);
  else if (value < 0.01 && value > -0.01) spare += value === 0 ? 0 : 4;
  return length;
}

/** By how much an exponent shortens a multiple of 1,000: `25000` is `25e3`. */
function zerosSaved(value: number): number {
  let zeros = 0;
  for (let rest = value; rest % 10 === 0; rest /= 10) zeros += 1;
  return zeros - 2;
}
