/** Lets everything that can run without time passing run once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Turns the event loop until a condition holds; fails, with `what`, when it never does. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  for (let turns = 0; turns < 20_000; turns += 1) {
    if (await condition()) return;
    await turn();
  }
  throw new Error(`never happened: ${what}`);
}

/** Turns the event loop for long enough that whatever was going to happen has happened. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await turn();
}
