import { expect, it } from 'vitest';

import { destinationChanged } from './destination-changed.ts';

it('prints a statement that names a destination and a mark whole, whatever is in them', () => {
  const name = `o'brien/${'x'.repeat(200)}`;
  const { message } = destinationChanged(name, 'before', String.raw`it's\new`);
  expect(message).toContain(
    String.raw`UPDATE event_destination SET marker = E'it''s\\new' WHERE destination = 'o''brien/` +
      `${'x'.repeat(200)}'`,
  );
});

it('keeps it on one line', () => {
  const { message } = destinationChanged('orders', 'before', 'a\nb');
  expect(message).toContain(String.raw`SET marker = E'a\nb' WHERE destination = 'orders'`);
});
