/**
 * Reads a property of something that was thrown, which may be anything.
 *
 * @returns The value; `undefined` where there is none, or where reading it throws again.
 */
export function readThrown(thrown: unknown, property: string): unknown {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  try {
    return Reflect.get(thrown, property);
  } catch {
    return undefined;
  }
}

/** What was thrown, in words; never empty, and never throws itself. */
export function messageOfThrown(thrown: unknown): string {
  if (typeof thrown === 'string' && thrown !== '') return thrown;
  for (const property of ['message', 'name']) {
    const text = readThrown(thrown, property);
    if (typeof text === 'string' && text !== '') return text;
  }
  try {
    return `something that is no error was thrown: ${JSON.stringify(thrown) ?? String(thrown)}`;
  } catch {
    return 'something was thrown that cannot be shown';
  }
}
