import type { FileReject } from './input/write-rejects.ts';
import type { Count, Report } from './report.ts';

/** What a summary tells of, beside the figures. */
export interface SummaryParts {
  readonly report: Report;
  /** How long the run took, and how many events it had to do in that time. */
  readonly pace: { readonly seconds: number; readonly events: number } | undefined;
  readonly problems: readonly string[];
  readonly life: { readonly qlid: string; readonly lines: readonly string[] } | undefined;
  readonly place: string;
  readonly rejects: readonly FileReject[];
  readonly rejectsPath: string;
  /** Options that the next commands need to find the same data. */
  readonly dataOption: string;
}

/** Tells a person what a run came to. */
export function summarize(parts: SummaryParts): string {
  const sections = [
    states(parts.report),
    money(parts.report),
    events(parts),
    life(parts),
    proof(parts),
    places(parts),
    next(parts),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

const meanings: Readonly<Record<string, string>> = {
  delivered: 'sold, paid and with their buyers',
  'on offer': 'listed, and nobody has bought them yet',
  salvaged: 'taken apart for parts',
  recycled: 'gone to a recycler',
  discarded: 'destroyed and written off',
  returned: 'back with their consignors',
  stored: 'kept for clients',
  released: 'shipped for the clients who stored them',
};

function states({ units, states: counts, demands }: Report): string[] {
  const asked = `${amount(demands.asked)} orders, bids and requests came in; ${amount(demands.served)} were served.`;
  return [
    `${amount(units)} units received, and where each of them is now`,
    ...counts.map(({ name, count }) => `${row({ name, count })}  ${meanings[name] ?? ''}`),
    '',
    demands.asked > 0 ? asked : 'Nobody ordered anything: give orders of your own with --orders.',
  ];
}

function money({ money: cents }: Report): string[] {
  return [
    'Money',
    `${dollars(cents.paidCents)}  paid by buyers`,
    `${dollars(-cents.paidOutCents)}  paid out to consignors`,
    `${dollars(cents.cashCents)}  in cash, as it is in the books`,
    `${dollars(cents.owedByClientsCents)}  owed by clients for storage`,
    `${dollars(cents.writtenOffCents)}  written off`,
  ];
}

function events({ report, pace }: SummaryParts): string[] {
  const { eventTypes, deadLetters } = report;
  const rate = pace && Math.round(pace.events / Math.max(pace.seconds, 0.001));
  const time = pace
    ? `, ${amount(pace.events)} of them in ${pace.seconds.toFixed(1)} s (${amount(rate ?? 0)}/s)`
    : '';
  const half = Math.ceil(eventTypes.length / 2);
  const columns = eventTypes.slice(0, half).map((left, index) => {
    const right = eventTypes[half + index];
    return `${row(left, 34)}${right ? row(right) : ''}`.trimEnd();
  });
  return [
    `${amount(report.events)} events of ${eventTypes.length} types${time}`,
    ...columns,
    '',
    deadLetters === 0
      ? 'No dead letters.'
      : `${amount(deadLetters)} dead letters: SELECT * FROM event_dlq says why.`,
  ];
}

function life({ life: unit }: SummaryParts): string[] {
  return unit
    ? [`The life of unit ${unit.qlid}, from get_item_lifecycle('${unit.qlid}')`, ...unit.lines]
    : [];
}

const mostProblems = 20;

/** What the check has found. */
export function proof({ problems, report }: Pick<SummaryParts, 'problems' | 'report'>): string[] {
  if (problems.length > 0) {
    const more = problems.length - mostProblems;
    return [
      `✗ Not conserved: ${amount(problems.length)} things do not add up`,
      ...problems.slice(0, mostProblems).map((problem) => `  ${problem}`),
      ...(more > 0 ? [`  … and ${amount(more)} more`] : []),
    ];
  }
  return [
    '✓ Conserved, by a check that only reads the tables',
    `  each of ${amount(report.units)} units is in exactly one final state`,
    `  every row of every service agrees with the ${amount(report.events)} events, and every event with a row`,
    '  money in is money booked, cent by cent',
    '  no event had an effect twice',
  ];
}

function places({ place, rejects, rejectsPath }: SummaryParts): string[] {
  const lines = new Set(rejects.map(({ file, line }) => `${file}:${line}`)).size;
  return [
    'Where everything is',
    `  data     ${place}`,
    ...(lines > 0
      ? [`  rejects  ${rejectsPath} (${amount(lines)} lines of the input that cannot be used)`]
      : []),
  ];
}

function next({ life: unit, dataOption }: SummaryParts): string[] {
  return [
    'What to try next',
    `  npm start -- --item ${unit?.qlid ?? '<qlid>'}${dataOption}   the life of any unit, by its qlid`,
    `  npm start -- --check${dataOption}             proves it again; change a row by hand, and it will notice`,
    '  npm start -- --manifest my.csv --orders mine.csv --data ./mine',
  ];
}

function row({ name, count }: Count, width = 0): string {
  return `${amount(count).padStart(8)}  ${name}`.padEnd(width);
}

function amount(value: number): string {
  return value.toLocaleString('en-US');
}

function dollars(cents: number): string {
  const text = (cents / 100).toLocaleString('en-US', { style: 'currency', currency: 'USD' });
  return text.padStart(14);
}
