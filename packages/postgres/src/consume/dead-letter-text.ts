/** Longest reason that is kept, in characters. */
export const maxReasonLength = 2_000;
/** Longest stack that is kept, in characters. */
export const maxStackLength = 16_000;

/** Control characters, and the separators that end a line somewhere; tab and line feed among them. */
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;
const controlsButLines = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g;

/** One line for people: control characters are spelled out, so that it cannot forge a log line. */
export function oneLine(text: string, maxLength: number): string {
  return escaped(bounded(text, maxLength), controls);
}

/** Several lines for people; line feeds and tabs stay. */
export function severalLines(text: string, maxLength: number): string {
  return escaped(bounded(text, maxLength), controlsButLines);
}

/** Names and ids, which must stay distinct: nothing is cut off. */
export function printable(text: string): string {
  return escaped(text, controls);
}

function bounded(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  return `${text.slice(0, maxLength)}… (${text.length - maxLength} characters more)`;
}

function escaped(text: string, pattern: RegExp): string {
  return text.replace(pattern, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code}`;
  });
}
