import { describe, expect, it } from 'vitest';

import { LogMemory } from './log-memory.ts';
import { LogPosition } from './log-position.ts';
import type { LogRow } from './log-rows.ts';
import type { GroupStanding, LogStanding } from './log-standing.ts';

const token = 'mine';
const quiet = { falls: 0, longest: new Map<number, bigint>() };

/** A tenure that began at 5, was handed rows up to 9, and confirmed a watermark of 7. */
function remembered(): LogMemory {
  const claimed = { committed: 5n, fetched: 5n, handed: 5n, suspect: 5n, takeovers: 0, aliveAt: 1 };
  const position = new LogPosition({ partition: 3, ...claimed }, { maxAhead: 100 });
  for (let offset = 5n; offset < 10n; offset += 1n) {
    position.beginRow({ log_offset: offset, event_id: `e${offset}` } as LogRow);
  }
  position.finish(5n);
  position.finish(6n);
  position.confirm(position.mark);
  const memory = new LogMemory(0);
  memory.remember([position], token);
  return memory;
}

function standing(
  at: Partial<Omit<LogStanding, 'group'>> & { group?: Partial<LogStanding['group']> | null },
  wasOwned = true,
): GroupStanding {
  const { group, ...place } = at;
  const whole = { committed: 7n, fetched: 10n, handed: 10n, token, ...group };
  const partition = { partition: 3, end: 10n, eventId: 'e9', ...place };
  return { partitions: [{ ...partition, group: group === null ? undefined : whole }], wasOwned };
}

describe('what a consumer remembers of its group', () => {
  it.each([
    ['where it was left', standing({ end: 12n })],
    [
      'further, since somebody else had it',
      standing({ end: 30n, group: { committed: 20n, fetched: 25n, handed: 25n, token: 'other' } }),
    ],
    ['nowhere, since somebody lets it begin anew', standing({ group: null })],
  ])('finds nothing lost where the group is %s', (_, found) => {
    expect(remembered().compare(found, quiet)).toEqual([]);
  });

  it.each([
    ['the log ends earlier', standing({ end: 8n }), 8n, 10n],
    [
      'the log has grown again, and less was handed out',
      standing({ end: 40n, group: { fetched: 8n, handed: 8n } }),
      8n,
      10n,
    ],
    ['the watermark alone is lower', standing({ group: { committed: 6n } }), 6n, 6n],
    ['nobody has ever had the group', standing({ end: 40n, group: null }, false), 0n, 10n],
  ])('finds it where %s, once', (_, found, from, until) => {
    const memory = remembered();
    expect(memory.compare(found, quiet)).toEqual([{ partition: 3, from, until }]);
    expect(memory.handed.get(3)).toBe(until);
    expect(memory.compare(found, quiet)).toEqual([]);
  });

  it('knows how long the log was that somebody else read, once it has become shorter', () => {
    const memory = new LogMemory(0);
    const fallen = { falls: 1, longest: new Map([[3, 50n]]) };
    expect(memory.compare(standing({ end: 20n }), fallen)).toEqual([
      { partition: 3, from: 20n, until: 50n },
    ]);
    expect(memory.handed.get(3)).toBe(50n);
    memory.claimed(2);
    expect([memory.handed.size, memory.aliveAt]).toEqual([0, 2]);
  });

  it('does not let a group go on behind other rows than it was handed, unless somebody else has claimed it', () => {
    const other = { eventId: 'another', end: 40n };
    const go = (found: GroupStanding) => () => remembered().assertSameRows('billing', found);
    expect(go(standing(other))).toThrow('has grown again');
    expect(go(standing({ ...other, group: { token: 'other' } }))).not.toThrow();
    expect(go(standing({ ...other, group: { fetched: 8n } }))).not.toThrow();
    expect(go(standing({ eventId: undefined }))).not.toThrow();
  });
});
