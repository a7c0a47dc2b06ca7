import { describe, expect, it } from 'vitest';

import { SharedOpening } from './shared-opening.ts';

/** An opening whose attempts end when the test says so. */
function heldOpening() {
  const attempts: PromiseWithResolvers<string>[] = [];
  const opening = new SharedOpening(() => {
    const attempt = Promise.withResolvers<string>();
    attempts.push(attempt);
    return attempt.promise;
  });
  return { opening, attempts };
}

describe('a shared opening', () => {
  it('makes one attempt for all calls that come together, and none after a success', async () => {
    const { opening, attempts } = heldOpening();
    const calls = [opening.open(), opening.open()];
    attempts[0]!.resolve('connection');
    expect(await Promise.all([...calls, opening.open()])).toEqual(Array(3).fill('connection'));
    expect(attempts).toHaveLength(1);
  });

  it('tries again after a failure, of which every waiting call hears', async () => {
    const { opening, attempts } = heldOpening();
    const calls = [opening.open(), opening.open()];
    attempts[0]!.reject(new Error('away'));
    for (const call of calls) await expect(call).rejects.toThrow('away');
    expect(opening.current).toBeUndefined();
    const again = opening.open();
    attempts[1]!.resolve('connection');
    expect(await again).toBe('connection');
  });

  it('is there for whoever works with it while it is open, and else refused by name', async () => {
    const { opening, attempts } = heldOpening();
    const refusal = { code: 'NOT_CONNECTED', details: { what: 'redis' } };
    await expect(opening.opened('redis')).rejects.toMatchObject(refusal);
    void opening.open();
    const early = opening.opened('redis');
    attempts[0]!.resolve('connection');
    expect([await early, await opening.opened('redis')]).toEqual(['connection', 'connection']);
    void opening.forget();
    await expect(opening.opened('redis')).rejects.toMatchObject(refusal);
  });

  it('hands an attempt under way to whoever forgets it, and opens anew', async () => {
    const { opening, attempts } = heldOpening();
    const call = opening.open();
    const forgotten = opening.forget();
    expect(opening.current).toBeUndefined();
    const anew = opening.open();
    attempts[0]!.resolve('first');
    attempts[1]!.resolve('second');
    expect(await Promise.all([call, forgotten, anew, opening.open()])).toEqual([
      'first',
      'first',
      'second',
      'second',
    ]);
  });

  it('keeps the new attempt when a forgotten one fails', async () => {
    const { opening, attempts } = heldOpening();
    const call = opening.open();
    void opening.forget();
    const anew = opening.open();
    attempts[0]!.reject(new Error('away'));
    await expect(call).rejects.toThrow('away');
    attempts[1]!.resolve('second');
    expect(await anew).toBe('second');
    expect(opening.current).toBe(anew);
  });

  it('has nothing to forget before it was opened', () => {
    expect(heldOpening().opening.forget()).toBeUndefined();
  });
});
