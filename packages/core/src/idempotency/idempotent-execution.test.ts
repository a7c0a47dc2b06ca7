import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { envelope } from '../../test/envelope.ts';
import { until } from '../../test/until.ts';
import { EventError } from '../errors.ts';
import { currentScope, runInScope } from '../handler-scope.ts';
import { generateIdempotencyKey, IdempotentExecution } from './idempotent-execution.ts';
import { ManualClock } from '../memory/manual-clock.ts';
import { MemoryDatabase } from '../memory/memory-database.ts';
import { MemoryIdempotencyStore } from '../memory/memory-idempotency-store.ts';

/** Few of each and much alike, so that two draws often come close to each other. */
const names = fc.constantFrom('a', 'b', 'a=a', 'a:b', '');
const values = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('', ':', '=', 'a', 'b', 'a:b', 'a=a', 'a:b=a', '1:a') },
  { weight: 1, arbitrary: fc.string({ minLength: 250, maxLength: 300, unit: 'grapheme' }) },
);
const parts = fc.dictionary(names, fc.option(values, { nil: undefined }), {
  minKeys: 1,
  maxKeys: 3,
});
const given = (record: Record<string, string | undefined>): [string, string | undefined][] =>
  Object.entries(record)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));

describe('an idempotency key', () => {
  it('is the same for the same parts, and never for others', () => {
    fc.assert(
      fc.property(parts, parts, (one, two) => {
        fc.pre(given(one).length > 0 && given(two).length > 0);
        const same = JSON.stringify(given(one)) === JSON.stringify(given(two));
        expect(generateIdempotencyKey(one) === generateIdempotencyKey(two)).toBe(same);
      }),
      { numRuns: 3_000 },
    );
  });

  it('fits the column that keeps it', () => {
    fc.assert(
      fc.property(parts, (some) => {
        fc.pre(given(some).length > 0);
        expect(generateIdempotencyKey(some).length).toBeLessThanOrEqual(255);
      }),
    );
  });

  it('tells apart what joining would mix up', () => {
    const keys = [
      { sagaId: 'a:b', step: 'c' },
      { sagaId: 'a', step: 'b:c' },
      { sagaId: 'a', step: 'b' },
      { sagaId: 'a', entityId: 'b' },
      { sagaId: 'a', step: undefined, entityId: 'b:c' },
    ].map(generateIdempotencyKey);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('can be read while it is short and plain, in whatever order the parts are given', () => {
    const key = 'entityId=order-7:sagaId=saga-1:step=reserve_inventory';
    const some = { sagaId: 'saga-1', step: 'reserve_inventory', entityId: 'order-7' };
    expect(generateIdempotencyKey(some)).toBe(key);
    const { step, ...rest } = some;
    expect(generateIdempotencyKey({ step, ...rest })).toBe(key);
  });

  it('needs a part', () => {
    expect(() => generateIdempotencyKey({})).toThrow(TypeError);
    expect(() => generateIdempotencyKey({ step: undefined })).toThrow(TypeError);
  });
});

function setUp() {
  const clock = new ManualClock();
  const store = new MemoryIdempotencyStore(new MemoryDatabase(), { clock });
  const execution = new IdempotentExecution({ store, clock, claimMs: 30_000 });
  return { clock, store, execution };
}

describe('idempotent execution', () => {
  it('runs work once and gives its result to whoever asks again', async () => {
    const { execution } = setUp();
    let runs = 0;
    const work = (): { runs: number } => ({ runs: ++runs });
    await expect(execution.executeIdempotent('key', 'charge', work)).resolves.toEqual({ runs: 1 });
    await expect(execution.executeIdempotent('key', 'charge', work)).resolves.toEqual({ runs: 1 });
    await expect(execution.isExecuted('key')).resolves.toBe(true);
    await expect(execution.getResult('key')).resolves.toEqual({ runs: 1 });
  });

  it('frees the key when the work fails, and throws what the work threw', async () => {
    const { execution } = setUp();
    const failed = new Error('declined');
    await expect(
      execution.executeIdempotent('key', 'charge', () => {
        throw failed;
      }),
    ).rejects.toBe(failed);
    await expect(execution.executeIdempotent('key', 'charge', () => 'ok')).resolves.toBe('ok');
  });

  it('throws what the work threw also when the key cannot be freed', async () => {
    const { store } = setUp();
    const failed = new Error('declined');
    store.release = () => Promise.reject(new EventError('STORE_UNAVAILABLE', 'away', {}));
    const execution = new IdempotentExecution({ store, clock: new ManualClock() });
    await expect(
      execution.executeIdempotent('key', 'charge', () => Promise.reject(failed)),
    ).rejects.toBe(failed);
  });

  it('does not fall over work that throws nothing, or something that cannot be shown', async () => {
    const { execution } = setUp();
    for (const thrown of [undefined, 'text', Object.create(null) as object]) {
      const outcome = execution
        .executeIdempotent('key', 'charge', () => {
          throw thrown;
        })
        .catch((error: unknown) => ({ caught: error }));
      await expect(outcome).resolves.toEqual({ caught: thrown });
    }
  });

  it('holds its claim for as long as the work runs, and no longer', async () => {
    const { clock, execution } = setUp();
    const { promise, resolve } = Promise.withResolvers<string>();
    const first = execution.executeIdempotent('key', 'charge', () => promise);
    await until(() => clock.waiting > 0, 'the claim is renewed');
    await clock.advance(120_000);
    await expect(execution.executeIdempotent('key', 'charge', () => 'two')).rejects.toThrow(
      /^CLAIM_HELD/,
    );
    resolve('one');
    await expect(first).resolves.toBe('one');
    expect(clock.waiting).toBe(0);
  });

  it('refuses its own result when another process took over in the meantime', async () => {
    const { clock, store, execution } = setUp();
    const { promise, resolve } = Promise.withResolvers<string>();
    store.renew = async () => false;
    const first = execution.executeIdempotent('key', 'charge', () => promise);
    await until(() => clock.waiting > 0, 'the claim was taken');
    await clock.advance(60_000);
    await expect(execution.executeIdempotent('key', 'charge', () => 'two')).resolves.toBe('two');
    resolve('one');
    await expect(first).rejects.toThrow(/^CLAIM_LOST/);
    await expect(execution.getResult('key')).resolves.toBe('two');
  });

  it('renews and frees its claim outside the transaction of the handler it is called in', async () => {
    const { clock, store, execution } = setUp();
    const renewed: unknown[] = [];
    const renew = store.renew.bind(store);
    store.renew = (...args) => {
      renewed.push(currentScope());
      return renew(...args);
    };
    const { promise, reject } = Promise.withResolvers<void>();
    // A transaction of another database: whoever joins it is refused.
    const scope = { event: envelope(), tx: {}, afterCommit: () => {} };
    const failing = runInScope(scope, () =>
      execution.executeIdempotent('key', 'charge', () => promise),
    );
    await until(() => clock.waiting > 0, 'the claim was taken');
    await clock.advance(60_000);
    reject(new Error('declined'));
    await expect(failing).rejects.toThrow('declined');
    expect(renewed.length).toBeGreaterThan(1);
    expect(new Set(renewed)).toEqual(new Set([undefined]));
    await expect(store.get('key')).resolves.toMatchObject({ status: 'failed', error: 'declined' });
  });

  it('refuses a result that is too large or no JSON, and frees the key', async () => {
    const { execution } = setUp();
    const large = 'x'.repeat(1024 * 1024);
    await expect(execution.executeIdempotent('key', 'charge', () => large)).rejects.toThrow(
      /^PAYLOAD_TOO_LARGE/,
    );
    await expect(execution.executeIdempotent('key', 'charge', () => 7n)).rejects.toThrow(TypeError);
    await expect(execution.executeIdempotent('key', 'charge', () => 'ok')).resolves.toBe('ok');
  });

  it('refuses a key of another operation', async () => {
    const { execution } = setUp();
    await execution.executeIdempotent('key', 'charge', () => 'ok');
    await expect(execution.executeIdempotent('key', 'refund', () => 'ok')).rejects.toThrow(
      /^IDEMPOTENCY_MISMATCH/,
    );
  });

  it.each([
    ['', 3_600],
    ['x'.repeat(256), 3_600],
    ['key', 0],
    ['key', -1],
    ['key', Infinity],
    ['key', NaN],
  ])('refuses key %s kept for %d seconds', async (key, ttlSeconds) => {
    const { execution } = setUp();
    await expect(
      execution.executeIdempotent(key, 'charge', () => 'ok', ttlSeconds),
    ).rejects.toThrow(TypeError);
  });

  it.each([0, -1, NaN, 86_400_001])('refuses claims of %d ms', (claimMs) => {
    const store = new MemoryIdempotencyStore();
    expect(() => new IdempotentExecution({ store, claimMs })).toThrow(TypeError);
  });
});
