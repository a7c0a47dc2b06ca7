import { oneLine } from '../../text.ts';

const number = /-?\d+(\.\d+)?([eE][+-]?\d+)?/y;

/**
 * Looks through a text that `JSON.parse` has accepted for what it changed in silence.
 *
 * @returns What is wrong, to follow the name of the text, or nothing.
 */
export function findJsonFault(text: string, maxDepth: number): string | undefined {
  /** The keys so far of each open object; an open array has none. */
  const open: (Set<string> | undefined)[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text[at]!;
    let fault: string | undefined;
    if (character === '"') {
      const end = endOfString(text, at);
      fault = stringFault(text, at, end, open.at(-1));
      at = end;
    } else if (character === '-' || (character >= '0' && character <= '9')) {
      number.lastIndex = at;
      const literal = number.exec(text)![0];
      fault = numberFault(literal);
      at += literal.length;
    } else {
      if (character === '{') open.push(new Set());
      if (character === '[') open.push(undefined);
      if (character === '}' || character === ']') open.pop();
      if (open.length > maxDepth) return `is nested more than ${maxDepth} deep`;
      at += 1;
    }
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The position after the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** @param keys The keys so far, if the string is in an object and so may be a key. */
function stringFault(
  text: string,
  start: number,
  end: number,
  keys: Set<string> | undefined,
): string | undefined {
  const literal = text.slice(start, end);
  const value = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
  const where = `at character ${start}`;
  if (value.includes('\0')) return `contains U+0000 ${where}, which PostgreSQL cannot keep`;
  if (!value.isWellFormed()) return `contains half a surrogate pair ${where}`;
  if (!keys || !isKey(text, end)) return undefined;
  if (value === '__proto__')
    return `has a key "__proto__" ${where}, which can change the prototype of objects`;
  if (keys.has(value)) return `has the key "${oneLine(value)}" twice in one object, again ${where}`;
  keys.add(value);
  return undefined;
}

/** Says whether a string that ends here is followed by a colon. */
function isKey(text: string, end: number): boolean {
  let at = end;
  while (' \t\r\n'.includes(text[at]!)) at += 1;
  return text[at] === ':';
}

function numberFault(literal: string): string | undefined {
  const value = Number(literal);
  const shown = oneLine(literal);
  if (!Number.isFinite(value)) return `holds the number ${shown}, which is beyond a double`;
  if (Object.is(value, -0)) return `holds the number ${shown}, which cannot be kept; write 0`;
  if (value === 0 && /[1-9]/.test(literal.split(/[eE]/)[0]!))
    return `holds the number ${shown}, which a double cannot tell from 0`;
  if (/^-?\d+$/.test(literal) && literal !== String(value)) {
    return `holds the number ${shown}, which a double would change to ${value}; send it as a string`;
  }
  return undefined;
}
