import type { EventEnvelope } from './envelope.ts';

const maxShown = 60;

/** Names an event in a message, by type and id, whatever these hold; `an event` when it has neither. */
export function eventLabel(event: Partial<Pick<EventEnvelope, 'type' | 'id'>>): string {
  const parts = [event.type, event.id].filter((part) => typeof part === 'string' && part !== '');
  return parts.length === 0 ? 'an event' : parts.map((part) => oneLine(part!)).join(' ');
}

/** Shows a value in a message: on one line, without control characters, never longer than a line. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `"${oneLine(value)}"`;
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'boolean':
      return String(value);
    case 'undefined':
      return 'nothing';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? 'an array' : 'an object';
    case 'bigint':
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
  }
}

/** Text on one line: control characters and lone surrogates escaped, cut after 60 characters. */
export function oneLine(text: string, maxLength: number = maxShown): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return JSON.stringify(cut)
    .slice(1, -1)
    .replaceAll(
      /[\u007f-\u009f\u2028\u2029]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}
