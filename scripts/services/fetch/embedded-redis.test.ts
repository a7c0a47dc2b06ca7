import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fetchEmbeddedRedis } from './embedded-redis.ts';

describe('fetching Redis 6.2', () => {
  afterEach(() => vi.unstubAllGlobals());

  it.for<[string, () => Promise<Response>, string]>([
    ['nobody answers', () => Promise.reject(new TypeError('fetch failed')), 'does not answer'],
    ['the answer is no', async () => new Response('', { status: 404 }), 'status 404'],
    ['the file is another one', async () => new Response('jar'), 'is not the file that it was'],
  ])('says so when %s', async ([, fetch, message]) => {
    vi.stubGlobal('fetch', fetch);

    await expect(fetchEmbeddedRedis(tmpdir(), () => {})).rejects.toThrow(message);
  });
});
