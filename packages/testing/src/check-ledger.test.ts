import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkLedger, type Expected } from './check-ledger.ts';
import type { LedgerEntry } from './ledger-entry.ts';

const groups = ['stock', 'mail'];

/** What a run reports in which nothing went wrong: `mail` handles, `stock` applies in a transaction. */
function goodRun(events = 4, keys = 2): LedgerEntry[] {
  return Array.from({ length: events }, (_, index): LedgerEntry[] => {
    const event = {
      eventId: `e${index}`,
      key: `k${index % keys}`,
      keySequence: Math.floor(index / keys),
    };
    return [
      { kind: 'published', ...event },
      { kind: 'handled', group: 'stock', ...event },
      { kind: 'handled', group: 'mail', ...event },
      { kind: 'applied', group: 'stock', eventId: event.eventId },
    ];
  }).flat();
}

const isOf =
  (kind: LedgerEntry['kind'], group: string, eventId: string) =>
  (entry: LedgerEntry): boolean =>
    entry.kind === kind && entry.group === group && entry.eventId === eventId;

function broken(entries: readonly LedgerEntry[], more: Partial<Expected> = {}): string[] {
  const { violations } = checkLedger(entries, { groups, onceGroups: ['stock'], ...more });
  return violations.map(({ invariant, message }) => `${invariant} ${message}`);
}

describe('the ledger check', () => {
  it('finds nothing wrong with a good run', () => {
    const committed = ['e0', 'e1', 'e2', 'e3'];

    expect(broken(goodRun())).toEqual([]);
    expect(broken(goodRun(), { committed, maxDuplicates: 0 })).toEqual([]);
  });

  it('takes a dead letter and a named drop for an ending', () => {
    const entries = goodRun().filter((entry) => !isOf('handled', 'mail', 'e1')(entry));

    expect(broken([...entries, { kind: 'dead-lettered', group: 'mail', eventId: 'e1' }])).toEqual(
      [],
    );
    expect(broken([...entries, { kind: 'dropped', group: 'mail', eventId: 'e1' }])).toEqual([]);
  });

  it('notices an event that one group never got', () => {
    const entries = goodRun().filter((entry) => !isOf('handled', 'mail', 'e2')(entry));

    expect(broken(entries)).toEqual(['I1 e2 has disappeared in group mail']);
  });

  it('notices an event that ended in two ways', () => {
    const entries: LedgerEntry[] = [
      ...goodRun(),
      { kind: 'dead-lettered', group: 'mail', eventId: 'e2' },
    ];

    expect(broken(entries)).toEqual(['I1 e2 is handled and dead-lettered in group mail']);
  });

  it('notices a handler that ran without its effect being there', () => {
    const entries = goodRun().filter((entry) => !isOf('applied', 'stock', 'e0')(entry));

    expect(broken(entries)).toEqual(['I1 e0 has disappeared in group stock']);
  });

  it('notices a publish that was confirmed and then lost', () => {
    const committed = ['e0', 'e1', 'e2'];

    expect(broken(goodRun(), { committed })).toContain(
      'I1 e3 was confirmed to its publisher and is not there',
    );
  });

  it('notices a committed event that nobody got, confirmed or not', () => {
    const committed = ['e0', 'e1', 'e2', 'e3', 'e4'];

    expect(broken(goodRun(), { committed })).toEqual([
      'I1 e4 has disappeared in group stock',
      'I1 e4 has disappeared in group mail',
    ]);
  });

  it('notices an effect that is there twice', () => {
    const entries: LedgerEntry[] = [
      ...goodRun(),
      { kind: 'applied', group: 'stock', eventId: 'e1' },
    ];

    expect(broken(entries)).toEqual(['I2 stock e1 was applied 2 times']);
  });

  it('notices a key that was handled out of order, whatever happens to other keys', () => {
    const entries = goodRun();
    const early = entries.findIndex(isOf('handled', 'mail', 'e0'));
    const late = entries.findIndex(isOf('handled', 'mail', 'e2'));
    [entries[early], entries[late]] = [entries[late]!, entries[early]!];

    expect(broken(entries)).toEqual(['I3 e0 (0) came after e2 (1) of key k0 in group mail']);
    expect(broken(entries, { unorderedGroups: ['mail'] })).toEqual([]);
  });

  it('takes repeats after a fault for repeats, not for disorder', () => {
    const again = goodRun().filter(({ kind, group }) => kind === 'handled' && group === 'mail');
    const { violations, duplicates, summary } = checkLedger([...goodRun(), ...again], {
      groups,
      onceGroups: ['stock'],
      maxDuplicates: 4,
    });

    expect(violations).toEqual([]);
    expect([...duplicates]).toEqual([
      ['mail e0', 1],
      ['mail e1', 1],
      ['mail e2', 1],
      ['mail e3', 1],
    ]);
    expect(summary).toBe(
      '4 events for stock, mail: 12 handled, 4 applied, 0 dead-lettered, 0 dropped, 4 repeated (mail e0 +1, mail e1 +1, mail e2 +1, mail e3 +1)',
    );
  });

  it('notices more repeats than there was work in flight', () => {
    const again = goodRun().filter(isOf('handled', 'mail', 'e1'));

    expect(broken([...goodRun(), ...again, ...again], { maxDuplicates: 1 })).toEqual([
      'I5 2 repeated runs, 1 allowed: mail e1 +2',
    ]);
  });

  it('notices the effect of an event that was rolled back', () => {
    const entries: LedgerEntry[] = [
      ...goodRun(),
      { kind: 'rolled-back', eventId: 'ghost' },
      { kind: 'handled', group: 'mail', eventId: 'ghost' },
    ];

    expect(broken(entries)).toEqual(['I4 ghost was handled in group mail and never committed']);
  });

  it('does not call a run good in which nothing was published', () => {
    expect(broken([])).toEqual(['I1 nothing was published, so nothing was proven']);
  });

  it('notices any one report that is lost', () => {
    const good = goodRun(12, 3).filter(({ kind, group }) => kind === 'applied' || group === 'mail');
    const committed = Array.from({ length: 12 }, (_, index) => `e${index}`);
    fc.assert(
      fc.property(fc.nat(good.length - 1), (lost) => {
        const rest = good.filter((_, index) => index !== lost);
        return broken(rest, { committed }).length === 1;
      }),
    );
  });
});
