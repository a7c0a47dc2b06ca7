/**
 * Seeds for tests of races: new ones in each run, to be shown in the name of the test, and the same ones
 * with `CI=true`.
 */
export function seeds(count: number): number[] {
  const isRepeatable = process.env.CI === 'true';
  return Array.from({ length: count }, (_, index) =>
    isRepeatable ? index + 1 : Math.floor(Math.random() * 2 ** 31),
  );
}

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
