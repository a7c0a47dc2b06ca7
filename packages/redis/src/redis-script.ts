import { createHash } from 'node:crypto';

import { replyCodeOf } from './redis-errors.ts';
import type { RedisArgument } from './redis-like.ts';

/** Sends one command. */
export type RedisCall = (command: string, ...args: RedisArgument[]) => Promise<unknown>;

/** A Lua script, which Redis runs as one step: nobody sees half of it. */
export class RedisScript<Reply> {
  readonly #source: string;
  readonly #digest: string;

  /** @param source Reads `KEYS` and `ARGV`, and returns what `Reply` says. */
  constructor(source: string) {
    this.#source = source;
    this.#digest = createHash('sha1').update(source).digest('hex');
  }

  async run(
    call: RedisCall,
    keys: readonly string[],
    args: readonly RedisArgument[],
  ): Promise<Reply> {
    try {
      return (await call('EVALSHA', this.#digest, keys.length, ...keys, ...args)) as Reply;
    } catch (error) {
      // A server that has restarted knows no scripts any more.
      if (replyCodeOf(error) !== 'NOSCRIPT') throw error;
      return (await call('EVAL', this.#source, keys.length, ...keys, ...args)) as Reply;
    }
  }
}
