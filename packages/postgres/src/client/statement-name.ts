import { createHash } from 'node:crypto';

const names = new Map<string, string>();

/** A name for a prepared statement: the same for the same text, and another one for another text. */
export function statementName(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `waybill_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
    names.set(text, name);
  }
  return name;
}
