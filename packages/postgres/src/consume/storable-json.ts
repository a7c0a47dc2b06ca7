/** JSONB parses recursively: deeper nesting can exceed the server's stack. */
const maxDepth = 500;

/**
 * The JSON text of a value, if JSONB can hold it unchanged.
 *
 * @returns `null` for what JSONB refuses (U+0000, lone surrogates, very deep nesting) and for what is
 *   no JSON at all.
 */
export function storableJson(value: unknown): string | null {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // Circular, too deep, or a getter that throws: there is no JSON to keep.
  }
  return text !== undefined && isStorable(text) ? text : null;
}

/** `JSON.stringify` writes U+0000 and lone surrogates, and only these, as escapes that JSONB refuses. */
function isStorable(text: string): boolean {
  return !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(text) && depthOf(text) <= maxDepth;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (inString && character === '\\') at += 1;
    else if (character === '"') inString = !inString;
    else if (inString) continue;
    else if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if (character === ']' || character === '}') depth -= 1;
  }
  return deepest;
}
