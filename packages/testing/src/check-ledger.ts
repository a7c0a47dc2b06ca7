import type { LedgerEntry, LedgerEntryKind } from './ledger-entry.ts';

/** What must hold, beside what the entries say themselves. */
export interface Expected {
  /** Groups that existed when the events were published. */
  readonly groups: readonly string[];
  /**
   * Ids of the events whose transaction has committed, as the database says. Publishing is then held
   * against it in both directions; unless given, only confirmed publishes count.
   */
  readonly committed?: Iterable<string>;
  /** Groups whose effects are `applied` entries and must be there exactly once. */
  readonly onceGroups?: readonly string[];
  /** Groups in which the order of a key is not promised. */
  readonly unorderedGroups?: readonly string[];
  /** Most repeated runs of handlers, over all groups: the work in flight at the faults. */
  readonly maxDuplicates?: number;
}

export interface Violation {
  /**
   * Which promise is broken: every event ends (I1), effects happen once (I2), keys keep their order
   * (I3), nothing happens without a cause (I4), repeats are bounded (I5).
   */
  readonly invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5';
  readonly message: string;
}

export interface LedgerVerdict {
  readonly violations: readonly Violation[];
  /** Handlers run again for an event that they had handled: `group event` with the number of extra runs. */
  readonly duplicates: ReadonlyMap<string, number>;
  /** One line for people: events, groups, endings and duplicates. */
  readonly summary: string;
}

/**
 * Holds what processes have reported against what was promised.
 *
 * @param entries In the order in which they happened; `LedgerEntry`s made from database rows may follow.
 */
export function checkLedger(entries: readonly LedgerEntry[], expected: Expected): LedgerVerdict {
  const promised = promisedEvents(entries, expected);
  const duplicates = countDuplicates(entries);
  const violations: Violation[] = [
    ...checkPublished(entries, promised, expected),
    ...expected.groups.flatMap((group) => checkEndings(entries, promised, group, expected)),
    ...checkOnce(entries, expected),
    ...checkOrder(entries, expected),
    ...checkCauses(entries, promised),
    ...checkDuplicates(duplicates, expected),
  ];
  return { violations, duplicates, summary: summarize(entries, promised, duplicates, expected) };
}

function promisedEvents(entries: readonly LedgerEntry[], { committed }: Expected): Set<string> {
  return new Set(committed ?? ofKind(entries, 'published').map(({ eventId }) => eventId));
}

/** A run that published nothing proves nothing. */
function checkPublished(
  entries: readonly LedgerEntry[],
  promised: ReadonlySet<string>,
  { committed }: Expected,
): Violation[] {
  if (promised.size === 0) return [violation('I1', 'nothing was published, so nothing was proven')];
  if (!committed) return [];
  return ofKind(entries, 'published')
    .filter(({ eventId }) => !promised.has(eventId))
    .map(({ eventId }) =>
      violation('I1', `${eventId} was confirmed to its publisher and is not there`),
    );
}

/** Each event ends in each group in exactly one way. */
function checkEndings(
  entries: readonly LedgerEntry[],
  promised: ReadonlySet<string>,
  group: string,
  { onceGroups = [] }: Expected,
): Violation[] {
  const done: LedgerEntryKind = onceGroups.includes(group) ? 'applied' : 'handled';
  const endings = new Map<string, Set<LedgerEntryKind>>();
  for (const { kind, eventId, group: where } of entries) {
    if (where !== group || ![done, 'dead-lettered', 'dropped'].includes(kind)) continue;
    endings.set(eventId, (endings.get(eventId) ?? new Set()).add(kind));
  }
  return [...promised].flatMap((eventId) => {
    const ways = [...(endings.get(eventId) ?? [])];
    if (ways.length === 1) return [];
    const what = ways.length === 0 ? 'has disappeared' : `is ${ways.join(' and ')}`;
    return [violation('I1', `${eventId} ${what} in group ${group}`)];
  });
}

function checkOnce(entries: readonly LedgerEntry[], { onceGroups = [] }: Expected): Violation[] {
  const effects = ofKind(entries, 'applied').filter(({ group }) =>
    onceGroups.includes(group ?? ''),
  );
  return [...countBy(effects)]
    .filter(([, times]) => times > 1)
    .map(([what, times]) => violation('I2', `${what} was applied ${times} times`));
}

/** The first time that each event of a key is handled, in the order of the key. */
function checkOrder(
  entries: readonly LedgerEntry[],
  { unorderedGroups = [] }: Expected,
): Violation[] {
  const violations: Violation[] = [];
  const seen = new Set<string>();
  const last = new Map<string, LedgerEntry & { keySequence: number }>();
  for (const entry of ofKind(entries, 'handled')) {
    const { group = '', key, keySequence, eventId } = entry;
    if (key === undefined || keySequence === undefined || unorderedGroups.includes(group)) continue;
    if (seen.has(`${group} ${eventId}`)) continue;
    seen.add(`${group} ${eventId}`);
    const before = last.get(`${group} ${key}`);
    if (before && before.keySequence >= keySequence) {
      const pair = `${eventId} (${keySequence}) came after ${before.eventId} (${before.keySequence})`;
      violations.push(violation('I3', `${pair} of key ${key} in group ${group}`));
    }
    last.set(`${group} ${key}`, { ...entry, keySequence });
  }
  return violations;
}

function checkCauses(entries: readonly LedgerEntry[], promised: ReadonlySet<string>): Violation[] {
  const rolledBack = new Set(ofKind(entries, 'rolled-back').map(({ eventId }) => eventId));
  const effects = entries.filter(({ kind }) => kind !== 'published' && kind !== 'rolled-back');
  const ghosts = effects.filter(({ eventId }) => !promised.has(eventId) || rolledBack.has(eventId));
  return ghosts.map(({ kind, eventId, group }) =>
    violation('I4', `${eventId} was ${kind} in group ${group} and never committed`),
  );
}

function checkDuplicates(
  duplicates: ReadonlyMap<string, number>,
  { maxDuplicates }: Expected,
): Violation[] {
  const total = sum(duplicates.values());
  if (maxDuplicates === undefined || total <= maxDuplicates) return [];
  return [violation('I5', `${total} repeated runs, ${maxDuplicates} allowed: ${list(duplicates)}`)];
}

function countDuplicates(entries: readonly LedgerEntry[]): Map<string, number> {
  const counts = countBy(ofKind(entries, 'handled'));
  return new Map([...counts].filter(([, times]) => times > 1).map(([what, n]) => [what, n - 1]));
}

function summarize(
  entries: readonly LedgerEntry[],
  promised: ReadonlySet<string>,
  duplicates: ReadonlyMap<string, number>,
  { groups }: Expected,
): string {
  const counts = (['handled', 'applied', 'dead-lettered', 'dropped'] as const).map(
    (kind) => `${ofKind(entries, kind).length} ${kind}`,
  );
  const repeats = `${sum(duplicates.values())} repeated${duplicates.size > 0 ? ` (${list(duplicates)})` : ''}`;
  return `${promised.size} events for ${groups.join(', ')}: ${[...counts, repeats].join(', ')}`;
}

function ofKind(entries: readonly LedgerEntry[], kind: LedgerEntryKind): LedgerEntry[] {
  return entries.filter((entry) => entry.kind === kind);
}

function countBy(entries: readonly LedgerEntry[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { group, eventId } of entries) {
    const what = `${group} ${eventId}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return counts;
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0);
}

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, times]) => `${what} +${times}`).join(', ');
}

function violation(invariant: Violation['invariant'], message: string): Violation {
  return { invariant, message };
}
