import { describe, expect, it } from 'vitest';

import { override } from './override.ts';

class Counter {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(): void {
    this.#count += 1;
  }

  name(): string {
    return 'counter';
  }
}

describe('override', () => {
  it('answers with the given member and leaves the rest to the target', () => {
    const counter = new Counter();
    const wrapped = override(counter, { name: () => 'wrapped' });

    wrapped.add();

    expect(wrapped.name()).toBe('wrapped');
    expect(counter.name()).toBe('counter');
    expect(wrapped.count).toBe(1);
    expect(counter.count).toBe(1);
    expect(wrapped).toBeInstanceOf(Counter);
  });
});
