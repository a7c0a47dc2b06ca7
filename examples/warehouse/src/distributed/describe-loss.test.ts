import { expect, it } from 'vitest';
import { describeLoss, type Loss } from './describe-loss.ts';

const loss: Loss = {
  kind: 'lost',
  transport: 'redis',
  stream: 'quickwms:events:item',
  group: 'quickgradez-group',
  reason: 'broker-lost-data',
  after: '5-0',
  until: '7-1',
};

it.each([
  [
    loss,
    'everything behind 5-0 up to 7-1 of quickwms:events:item, needed by quickgradez-group (broker-lost-data)',
  ],
  [
    { ...loss, group: undefined },
    'everything behind 5-0 up to 7-1 of quickwms:events:item, which quickgradez had published (broker-lost-data)',
  ],
  [
    { ...loss, reason: 'deleted', after: undefined, eventId: 'e-1' },
    '7-1 of quickwms:events:item, needed by quickgradez-group, event e-1 (deleted)',
  ],
] as const)('says what was lost, where, and of whom: %#', (seen, line) => {
  expect(describeLoss(seen, 'quickgradez')).toBe(`Redis has lost ${line}`);
});
