import type { FileReject } from './input/write-rejects.ts';
import type { Count, Report } from './report.ts';

/** What a summary tells of. */
export interface SummaryParts {
  readonly report: Report;
  /** What the conservation check has found. */
  readonly problems: readonly string[];
  /** One unit, and what happened to it. */
  readonly life: { readonly qlid: string; readonly lines: readonly string[] } | undefined;
  /** Where the database is. */
  readonly place: string;
  readonly rejects: readonly FileReject[];
  readonly rejectsPath: string;
  /** What the next commands need on their line to find the same data. */
  readonly dataOption: string;
}

/** Tells a person what a run came to. */
export function summarize(parts: SummaryParts): string {
  const { report, problems } = parts;
  const sections = [
    describeStates(report),
    describeMoney(report),
    describeEvents(report),
    describeUnit(parts),
    describeProof(report, problems),
    describePlaces(parts),
    describeNext(parts),
  ];
  const filled = sections.filter((lines) => lines.length > 0);
  return filled.map((lines) => lines.join('\n')).join('\n\n');
}

const meanings: Readonly<Record<string, string>> = {
  delivered: 'sold, paid, and with its buyer',
  'on offer': 'listed, and nobody has bought it yet',
  salvaged: 'taken apart for its parts',
  recycled: 'gone to a recycler',
  discarded: 'destroyed and written off',
  returned: 'back with its consignor',
  stored: 'kept for a client',
  released: 'shipped for the client who stored it',
};

function describeStates({ units, states, demands }: Report): string[] {
  const rows = states.map(({ name, count }) => {
    return `${figure(count)}  ${name.padEnd(10)} ${meanings[name] ?? ''}`.trimEnd();
  });
  const asked =
    demands.asked === 0
      ? 'Nobody ordered anything; --orders takes a file of orders and bids.'
      : `Of ${number(demands.asked)} orders, bids and requests, ${number(demands.served)} ended in a parcel.`;
  return [`${number(units)} units came in. Where they are now:`, ...rows, '', asked];
}

function describeMoney({ money }: Report): string[] {
  const row = (cents: number, what: string) => `${dollars(cents).padStart(12)}  ${what}`;
  return [
    'Money, as it is in the books:',
    row(money.paidCents, 'paid by buyers'),
    row(0 - money.paidOutCents, 'paid out to consignors'),
    row(money.cashCents, 'in cash'),
    row(money.owedByClientsCents, 'owed by clients for storing their goods'),
    row(money.writtenOffCents, 'written off'),
  ];
}

function describeEvents({ events, eventTypes, deadLetters, pace }: Report): string[] {
  const part = pace.events === events ? '' : `; the last process published ${number(pace.events)}`;
  const rate = number(Math.round(pace.events / Math.max(pace.seconds, 0.001)));
  const time = `${part} in ${pace.seconds.toFixed(1)} s, ${rate} a second`;
  return [
    `${number(events)} events of ${eventTypes.length} types${time}:`,
    ...inTwoColumns(eventTypes.map(({ name, count }) => `${figure(count)}  ${name}`)),
    '',
    ...describeDeadLetters(deadLetters),
  ];
}

function describeDeadLetters(deadLetters: readonly Count[]): string[] {
  if (deadLetters.length === 0) return ['No dead letters.'];
  const total = deadLetters.reduce((sum, { count }) => sum + count, 0);
  const causes = deadLetters.slice(0, 5).map(({ name, count }) => `${figure(count)}  ${name}`);
  return [`${plural(total, 'dead letter')} in event_dlq:`, ...causes];
}

function describeUnit({ life }: SummaryParts): string[] {
  return life ? [`The life of unit ${life.qlid}, by get_item_lifecycle:`, ...life.lines] : [];
}

const mostProblems = 20;

/** Tells what the conservation check has found. */
export function describeProof({ units, events }: Report, problems: readonly string[]): string[] {
  if (problems.length === 0) {
    return [
      '✓ Conserved, by a check that only reads the tables:',
      `  each of ${number(units)} units is in exactly one final state`,
      `  each row of each service agrees with the ${number(events)} events, and each event with a row`,
      '  money in is money booked, cent by cent',
      '  no event had an effect twice',
    ];
  }
  const hidden = problems.length - mostProblems;
  return [
    `✗ Not conserved, ${plural(problems.length, 'thing')} that cannot be:`,
    ...problems.slice(0, mostProblems).map((problem) => `  ${problem}`),
    ...(hidden > 0 ? [`  … and ${number(hidden)} more`] : []),
  ];
}

function describePlaces({ place, rejects, rejectsPath }: SummaryParts): string[] {
  const lines = new Set(rejects.map(({ file, line }) => `${file}:${line}`)).size;
  const found = lines === 0 ? [] : [`  ${plural(lines, 'line')} not used: ${rejectsPath}`];
  return ['Where everything is:', `  ${place}`, ...found];
}

function describeNext({ life, dataOption }: SummaryParts): string[] {
  const commands = [
    [`npm start -- --item ${life?.qlid ?? '<qlid>'}${dataOption}`, 'the life of any unit'],
    [`npm start -- --check${dataOption}`, 'the proof once more; change a row, and it notices'],
    ['npm start -- --manifest my.csv --orders mine.csv --data mine', 'goods of your own'],
  ] as const;
  const width = Math.max(...commands.map(([command]) => command.length));
  const rows = commands.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`);
  return ['What to try next:', ...rows];
}

function inTwoColumns(cells: readonly string[]): string[] {
  const height = Math.ceil(cells.length / 2);
  const width = Math.max(...cells.slice(0, height).map((cell) => cell.length));
  return cells
    .slice(0, height)
    .map((left, index) => `${left.padEnd(width)}  ${cells[height + index] ?? ''}`.trimEnd());
}

function figure(count: number): string {
  return number(count).padStart(8);
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function plural(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function dollars(cents: number): string {
  return (cents / 100).toLocaleString('en-US', { style: 'currency', currency: 'USD' });
}
