/** What a run showed of one case of a conformance suite. */
export interface CaseResult {
  /** The port that the suite is about, e.g. `transport`. */
  readonly port: string;
  readonly adapter: string;
  /** Name of the case, with the names of its groups. */
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  /** Why an adapter does not have to pass it. */
  readonly reason?: string;
}

/** Adapters that every whole run covers. */
const proven = [
  'memory',
  'PGlite',
  'PostgreSQL 18',
  'PostgreSQL 15',
  'Redis 7.0',
  'Redis 6.2',
  'Redis 8.0',
  'Valkey 8.1',
];
/** Adapters that have a column before they have a run. */
const expected = [...proven, 'Kafka'];
const suiteName =
  /^(transport|event store|transactions(?! around)|outbox|inbox|dead-letter sink|dead-letter queue|handover queue|idempotency store|delivery) (?:over )?(.+)$/;

/**
 * Finds out which suite and case a test belongs to. Where a suite is part of another one, it is the inner one.
 *
 * @param path Names of the suites around the test and of the test itself, from the outside in.
 * @returns Nothing for tests that belong to no conformance suite.
 */
export function caseOf(
  path: readonly string[],
): Pick<CaseResult, 'port' | 'adapter' | 'name' | 'reason'> | undefined {
  const at = path.findLastIndex((part) => suiteName.test(part));
  if (at < 0) return undefined;
  const [, port, adapter] = suiteName.exec(path[at]!)!;
  const full = path.slice(at + 1).join(': ');
  const [, name = full, reason] = /^(.*) \(skipped: (.*)\)$/s.exec(full) ?? [];
  return { port: port!, adapter: adapter!, name, ...(reason === undefined ? {} : { reason }) };
}

/** Says whether the run covers every adapter that has been run before, so that the page can be judged by it. */
export function isWholeRun(results: readonly CaseResult[]): boolean {
  const adapters = new Set(results.map(({ adapter }) => adapter));
  return proven.every((adapter) => adapters.has(adapter));
}

/** The reference page: one table per port, one row per case, one column per adapter. */
export function capabilityPage(results: readonly CaseResult[]): string {
  const ran = [...new Set(results.map(({ adapter }) => adapter))];
  const adapters = [
    ...expected,
    ...ran.filter((adapter) => !expected.includes(adapter)).toSorted(),
  ];
  const ports = Map.groupBy(results, ({ port }) => port);
  const tables = [...ports.keys()]
    .toSorted()
    .map((port) => `## ${port}\n\n${table(ports.get(port)!, adapters)}`);
  return `# What each adapter was proven to do

Made from a run of the conformance suites by \`npm run reference\`; \`npm test\` fails when it differs. A case that an adapter
does not claim says why. "untested" means that nothing was run, not that it fails.

${tables.join('\n\n')}
`;
}

function table(results: readonly CaseResult[], adapters: readonly string[]): string {
  const byName = Map.groupBy(results, ({ name }) => name);
  const rows = [...byName].map(([name, cases]) => {
    const cells = adapters.map((adapter) => cell(cases.find((each) => each.adapter === adapter)));
    return `| ${[name.replaceAll('|', '\\|'), ...cells].join(' | ')} |`;
  });
  const head = `| case | ${adapters.join(' | ')} |\n| --- |${' --- |'.repeat(adapters.length)}`;
  return `${head}\n${rows.toSorted().join('\n')}`;
}

function cell(result: CaseResult | undefined): string {
  if (!result) return 'untested';
  if (result.state === 'passed') return 'yes';
  return result.state === 'failed' ? 'FAILS' : (result.reason ?? 'skipped');
}
