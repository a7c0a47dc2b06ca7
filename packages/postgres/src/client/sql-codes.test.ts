import { describe, expect, it } from 'vitest';

import { rowsFor, rowsUnder } from '../../../../scripts/server-codes.ts';
import { sqlCodes } from './sql-codes.ts';
import { toLoginError, toStoreError } from './sql-errors.ts';

const said = (code: string): Error => Object.assign(new Error('the server says so'), { code });

describe('the codes of PostgreSQL', () => {
  it('are the same in the reference, row by row', () => {
    expect(rowsUnder('PostgreSQL')).toEqual(rowsFor(sqlCodes));
  });

  it.each(sqlCodes)(
    '$code is what the table says, at a first login and later',
    ({ code, kind }) => {
      const [first, later] = [toLoginError(said(code), false), toLoginError(said(code), true)];
      expect(first.retryable).toBe(kind === 'passing');
      expect(first.code === 'ACCESS_REFUSED').toBe(kind === 'access');
      expect(later.retryable).toBe(true);
      expect(later.code === 'ACCESS_REFUSED').toBe(kind === 'access');
      if (kind === 'access') expect(toStoreError(said(code))).toMatchObject({ retryable: false });
    },
  );

  it('name a password that was not given, and a server that speaks no TLS', () => {
    const missing = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string');
    expect(toLoginError(missing, false)).toMatchObject({ code: 'ACCESS_REFUSED' });
    const plain = new Error('The server does not support SSL connections');
    expect(toLoginError(plain, false)).toMatchObject({ code: 'STORE_REJECTED' });
  });
});
