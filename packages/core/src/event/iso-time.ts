let lastMs = Number.NaN;
let lastText = '';

/**
 * Milliseconds since the epoch as RFC 3339 text in UTC.
 *
 * Events come many to the millisecond, and formatting takes longer than making a UUID, so the last
 * text is kept.
 */
export function isoTime(ms: number): string {
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastText;
}
