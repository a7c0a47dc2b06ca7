/** One way of doing the work, measured beside the others. */
export interface Case {
  /** Operations of one run. */
  readonly count: number;
  /** Done before each run and not measured. */
  readonly prepare?: () => Promise<void>;
  readonly run: () => Promise<void>;
  /** Name of the case that this one is compared with; the first one unless given. */
  readonly limit?: string;
  /** What the ratio should reach, such as `≥ 0.80`. */
  readonly target?: string;
}

/**
 * Runs the cases, and prints the median over the rounds of each case's ratio to its limit in the same
 * round.
 */
export async function measure(
  title: string,
  rounds: number,
  cases: Readonly<Record<string, Case>>,
): Promise<void> {
  const entries = Object.entries(cases);
  const results = await interleave(
    rounds,
    Object.fromEntries(entries.map(([name, each]) => [name, () => rateOf(each)])),
  );
  console.log(`\n${title}`);
  for (const [name, { limit = entries[0]![0], target }] of entries) {
    const ratio = median(results.map((rates) => rates[name]! / rates[limit]!));
    const rate = median(results.map((rates) => rates[name]!));
    console.log(
      `  ${name.padEnd(42)} ${ratio.toFixed(2).padStart(5)} ${(rate / 1_000).toFixed(1).padStart(6)} k/s${target ? `  target ${target}` : ''}`,
    );
  }
}

/**
 * Runs the cases one after the other, each round beginning with another one. A first round warms up.
 *
 * @returns What each case gave, for each round but the first.
 */
export async function interleave<Result>(
  rounds: number,
  cases: Readonly<Record<string, () => Promise<Result>>>,
): Promise<Record<string, Result>[]> {
  const entries = Object.entries(cases);
  const results: Record<string, Result>[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const found: Record<string, Result> = {};
    for (let at = 0; at < entries.length; at += 1) {
      const [name, run] = entries[(at + round) % entries.length]!;
      found[name] = await run();
    }
    if (round > 0) results.push(found);
  }
  return results;
}

/** Does the work `count` times, with as many callers at once, each beginning anew as soon as it is done. */
export async function sideBySide(
  callers: number,
  count: number,
  work: (caller: number) => Promise<unknown>,
): Promise<void> {
  let begun = 0;
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      while (begun < count) {
        begun += 1;
        await work(caller);
      }
    }),
  );
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** @returns Operations per second. */
async function rateOf({ prepare, run, count }: Case): Promise<number> {
  await prepare?.();
  const start = process.hrtime.bigint();
  await run();
  return count / (Number(process.hrtime.bigint() - start) / 1e9);
}
