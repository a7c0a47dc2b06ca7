import { describe, expect, it } from 'vitest';

import { settle, until } from '../../test/until.ts';
import { EventError, isEventError } from '../errors.ts';
import { executeWithRetry } from './execute-with-retry.ts';
import { ManualClock } from '../memory/manual-clock.ts';
import { silentLogger } from '../observer.ts';
import { defaultRetryPolicy } from './retry-policy.ts';

const policy = { ...defaultRetryPolicy, maxRetries: 2, jitterFactor: 0 };

function setUp(errors: unknown[]) {
  const clock = new ManualClock();
  const startedAt = clock.now();
  const callsAtMs: number[] = [];
  const operation = async (): Promise<string> => {
    callsAtMs.push(clock.now() - startedAt);
    if (errors.length > 0) throw errors.shift();
    return 'done';
  };
  return { clock, callsAtMs, operation };
}

describe('executing with retries', () => {
  it('returns what the operation returned once it succeeds', async () => {
    const { clock, callsAtMs, operation } = setUp([new Error('1'), 'two']);
    const outcome = executeWithRetry(operation, policy, { operationName: 'call', clock });
    await settle();
    await clock.advance(3_000);
    await expect(outcome).resolves.toBe('done');
    expect(callsAtMs).toEqual([0, 1_000, 3_000]);
  });

  it('gives up with the last error as the cause', async () => {
    const errors = [new Error('1'), new Error('2'), new Error('3')];
    const { clock, operation } = setUp([...errors]);
    const outcome = executeWithRetry(operation, policy, { operationName: 'call', clock }).catch(
      (error: unknown) => error,
    );
    await settle();
    await clock.advance(3_000);
    const error = await outcome;
    expect(isEventError(error, 'RETRIES_EXHAUSTED')).toBe(true);
    expect(error).toMatchObject({
      details: { operation: 'call', attempts: 3 },
      cause: errors[2],
      retryable: false,
    });
  });

  it('throws at once what is not worth a retry, as it is', async () => {
    const refused = new EventError('STORE_REJECTED', 'no', {});
    const { clock, callsAtMs, operation } = setUp([refused]);
    const outcome = executeWithRetry(operation, policy, { operationName: 'call', clock });
    await expect(outcome).rejects.toBe(refused);
    expect(callsAtMs).toEqual([0]);
  });

  it('takes an operation that throws before it returns a promise', async () => {
    let calls = 0;
    const clock = new ManualClock();
    const outcome = executeWithRetry(
      () => {
        calls += 1;
        if (calls === 1) throw new Error('at once');
        return calls;
      },
      policy,
      { operationName: 'call', clock },
    );
    await settle();
    await clock.advance(1_000);
    await expect(outcome).resolves.toBe(2);
  });

  it('stops waiting when its signal is aborted, and leaves nothing behind', async () => {
    const stop = new AbortController();
    const failed = new Error('1');
    const { clock, callsAtMs, operation } = setUp([failed, new Error('2')]);
    const outcome = executeWithRetry(operation, policy, {
      operationName: 'call',
      clock,
      signal: stop.signal,
    }).catch((error: unknown) => error);
    await until(() => clock.waiting === 1, 'it waits');
    stop.abort();
    expect(await outcome).toBe(failed);
    expect({ waiting: clock.waiting, calls: callsAtMs.length }).toEqual({ waiting: 0, calls: 1 });
  });

  it('says what it retries', async () => {
    const said: object[] = [];
    const { clock, operation } = setUp([new Error('1')]);
    const outcome = executeWithRetry(operation, policy, {
      operationName: 'call',
      sagaId: 'saga-1',
      clock,
      logger: { ...silentLogger, warn: (details) => void said.push(details) },
    });
    await settle();
    await clock.advance(1_000);
    await outcome;
    expect(said).toMatchObject([
      { operationName: 'call', sagaId: 'saga-1', attempt: 1, delayMs: 1_000 },
    ]);
  });

  it('refuses a policy that is out of range before it calls anything', async () => {
    const { operation, callsAtMs } = setUp([]);
    await expect(
      executeWithRetry(operation, { ...policy, jitterFactor: 2 }, { operationName: 'call' }),
    ).rejects.toThrow(TypeError);
    expect(callsAtMs).toEqual([]);
  });
});
