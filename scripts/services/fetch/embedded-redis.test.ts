import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fetchEmbeddedRedis } from './embedded-redis.ts';

describe('fetching Redis 6.2', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout'] }));
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  /** @returns Why it cannot be had, when it was asked for this often. */
  async function refusalOf(
    answer: () => Promise<Response>,
  ): Promise<[reason: string, tries: number]> {
    const ask = vi.fn(answer);
    vi.stubGlobal('fetch', ask);
    const refused = fetchEmbeddedRedis(tmpdir(), () => {}).catch((error: unknown) => String(error));
    await vi.advanceTimersByTimeAsync(60_000);
    return [String(await refused), ask.mock.calls.length];
  }

  it('asks three times, and says what was in the way', async () => {
    const unreachable = new TypeError('fetch failed', { cause: new Error('no route to host') });
    expect(await refusalOf(() => Promise.reject(unreachable))).toEqual([
      'Error: Maven Central does not give it: no route to host',
      3,
    ]);
    expect(await refusalOf(async () => new Response('', { status: 503 }))).toEqual([
      'Error: Maven Central does not give it: status 503',
      3,
    ]);
  });

  it('refuses another file than the one that it knows', async () => {
    const [reason, tries] = await refusalOf(async () => new Response('jar'));
    expect(reason).toContain('is not the file that it was');
    expect(tries).toBe(1);
  });
});
