import { describe, expect, it } from 'vitest';
import type { Report } from './report.ts';
import { summarize, type SummaryParts } from './summary.ts';

const report: Report = {
  units: 1_234,
  events: 20_000,
  states: [{ name: 'delivered', count: 1_234 }],
  eventTypes: [
    { name: 'item.received', count: 1_234 },
    { name: 'item.sold', count: 1_000 },
    { name: 'bid.won', count: 7 },
  ],
  deadLetters: [],
  pace: { events: 20_000, seconds: 40 },
  demands: { asked: 3, served: 2 },
  money: {
    paidCents: 100_050,
    paidOutCents: 50,
    cashCents: 100_000,
    writtenOffCents: 0,
    owedByClientsCents: 5,
  },
};

const parts: SummaryParts = {
  report,
  problems: [],
  life: { qlid: '123456789', lines: ['  +0.00 s  item.received'] },
  place: '/data/database',
  rejects: [],
  rejectsPath: '/data/rejects.csv',
  dataOption: '',
};

const reject = (line: number) => ({ file: 'm.csv', line, field: 'Qty', reason: 'is empty' });

describe('summarize', () => {
  it('says where the units are, what was paid, and how quickly it went', () => {
    const text = summarize(parts);

    expect(text).toContain('1,234 units came in');
    expect(text).toContain('   1,234  delivered  sold, paid, and with its buyer');
    expect(text).toContain('   $1,000.50  paid by buyers');
    expect(text).toContain('20,000 events of 3 types in 40.0 s, 500 a second');
    expect(text).toContain('✓ Conserved');
  });

  it('writes nothing as nothing, not as less than that', () => {
    const money = { ...report.money, paidOutCents: 0 };

    expect(summarize({ ...parts, report: { ...report, money } })).toContain(' $0.00  paid out');
    expect(summarize({ ...parts, report: { ...report, money } })).not.toContain('-$0.00');
  });

  it('says what only a part of the events took, when an earlier process did the rest', () => {
    const resumed = { ...report, pace: { events: 5_000, seconds: 10 } };

    expect(summarize({ ...parts, report: resumed })).toContain(
      '20,000 events of 3 types; the last process published 5,000 in 10.0 s, 500 a second',
    );
  });

  it('counts lines that were not used, not their bad cells', () => {
    const text = summarize({ ...parts, rejects: [reject(3), reject(3), reject(4)] });

    expect(text).toContain('2 lines not used: /data/rejects.csv');
  });

  it('says why there are dead letters', () => {
    const deadLetters = [{ name: 'item.graded: no such column', count: 2 }];

    expect(summarize({ ...parts, report: { ...report, deadLetters } })).toContain(
      '2 dead letters in event_dlq:\n       2  item.graded: no such column',
    );
  });

  it('lists what does not add up, and not thousands of lines of it', () => {
    const problems = Array.from({ length: 25 }, (_, index) => `thing ${index}`);
    const text = summarize({ ...parts, problems });

    expect(text).toContain('✗ Not conserved, 25 things that cannot be:\n  thing 0\n');
    expect(text).toContain('  thing 19\n  … and 5 more');
    expect(text).not.toContain('✓');
  });

  it('names commands that find the same data', () => {
    expect(summarize({ ...parts, dataOption: ' --data mine' })).toContain('--check --data mine');
  });
});
