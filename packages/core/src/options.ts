/** @throws {TypeError} If `value` is not a number (a whole one, with `whole`) from `min` to `max`. */
export function assertRange(
  where: string,
  name: string,
  value: number,
  min: number,
  max: number,
  whole: boolean = false,
): void {
  const fits = typeof value === 'number' && value >= min && value <= max;
  if (fits && (!whole || Number.isInteger(value))) return;
  const kind = whole ? 'a whole number' : 'a number';
  throw new TypeError(
    `${where}: ${name} must be ${kind} from ${min} to ${max}, got ${String(value)}`,
  );
}

/** @throws {TypeError} If `options` has a key that is not known, so that a misspelt option is noticed. */
export function assertKnownOptions(where: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).filter((key) => !known.includes(key));
  if (unknown.length > 0) {
    throw new TypeError(
      `${where}: unknown option ${unknown.join(', ')}; known are ${known.join(', ')}`,
    );
  }
}
