import { describe, expect, it } from 'vitest';
import { destinationName } from './destination-name.ts';

describe('the name of a destination', () => {
  it('says the adapter and what sets it apart', () => {
    expect(destinationName('redis', 'Größe:events')).toBe('redis/Größe:events');
  });

  it('is the chosen one, if there is one', () => {
    expect(destinationName('redis', 'events', 'north hall')).toBe('north hall');
    expect(() => destinationName('redis', 'events', 'north\nhall')).toThrow(TypeError);
    expect(() => destinationName('redis', 'events', '')).toThrow(TypeError);
  });

  it.each(['a line\nand another', 'x'.repeat(300), 'half a pair \ud800'])(
    'stays a name, and the same one, for %j',
    (space) => {
      const name = destinationName('redis', space);
      expect(name).toMatch(/^redis\/sha256-[0-9a-f]{64}$/);
      expect(destinationName('redis', space)).toBe(name);
      expect(destinationName('redis', `${space}!`)).not.toBe(name);
    },
  );
});
