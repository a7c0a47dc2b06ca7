import { describe, expect, it } from 'vitest';

import { rowsFor, rowsUnder } from '../../../scripts/server-codes.ts';
import { redisCodeOf, redisCodes } from './redis-codes.ts';

describe('the codes of Redis', () => {
  it('are the same in the reference, row by row', () => {
    expect(rowsUnder('Redis and Valkey')).toEqual(rowsFor(redisCodes));
  });

  it('are told apart by more than their first word where there is more', () => {
    expect(redisCodeOf('ERR', 'ERR max number of clients reached')?.kind).toBe('passing');
    expect(redisCodeOf('ERR', 'ERR unknown command')?.kind).toBe('lasting');
    expect(redisCodeOf('NOGROUP', 'NOGROUP No such key')).toBeUndefined();
    expect(redisCodeOf('', 'nothing')).toBeUndefined();
  });
});
