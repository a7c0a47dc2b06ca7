/** What an SQLSTATE means for whoever waits for the statement. */
export interface SqlCode {
  readonly code: string;
  readonly means: string;
  /** What a person can do. */
  readonly advice: string;
  /**
   * `access` ends a first start, and is waited out later; `passing` is waited out at any time; `lasting` is a
   * mistake that waiting does not mend, unless it is said who waits.
   */
  readonly kind: 'access' | 'passing' | 'lasting';
  /** What follows from it once somebody has got on before, where the kind does not say it. */
  readonly later?: string;
}

/** The codes that have a meaning here beyond their class. */
export const sqlCodes: readonly SqlCode[] = [
  {
    code: '28P01',
    means: 'the password is wrong, or there is no such user',
    advice: 'correct it in the connection string, or with ALTER ROLE … PASSWORD on the server',
    kind: 'access',
  },
  {
    code: '28000',
    means: 'the user may not log in from here',
    advice: 'look at ALTER ROLE … LOGIN, and at pg_hba.conf of the server',
    kind: 'access',
  },
  {
    code: '3D000',
    means: 'there is no database of this name',
    advice: 'create it, or correct its name in the connection string',
    kind: 'access',
  },
  {
    code: '42501',
    means: 'the user lacks a right',
    advice: 'GRANT it what the message names',
    kind: 'access',
  },
  {
    code: '57P03',
    means: 'the server is starting, stopping or recovering',
    advice: 'it needs a moment',
    kind: 'passing',
  },
  {
    code: '57P01',
    means: 'the connection was ended by an operator, or the server is stopping',
    advice: 'it needs a moment',
    kind: 'passing',
  },
  {
    code: '57P02',
    means: 'the server is stopping because one of its processes crashed',
    advice: 'look at the log of the server',
    kind: 'passing',
  },
  {
    code: '53300',
    means: 'the server, the database or the user has as many connections as it may have',
    advice: 'raise max_connections or CONNECTION LIMIT, or make the pools of the services smaller',
    kind: 'passing',
  },
  {
    code: '53400',
    means: 'a limit of the server is reached',
    advice: 'raise the limit that the message names',
    kind: 'passing',
  },
  {
    code: '53100',
    means: 'the disk of the server is full',
    advice: 'make room on it',
    kind: 'passing',
  },
  {
    code: '25006',
    means: 'the server, the database or the user is read-only',
    advice: 'connect to the primary, or set default_transaction_read_only off',
    kind: 'passing',
  },
  {
    code: '55000',
    means: 'the database takes no connections, where it is the answer to a login',
    advice: 'ALTER DATABASE … ALLOW_CONNECTIONS true',
    kind: 'passing',
  },
  {
    code: '42P01',
    means: 'a table is missing',
    advice: 'migrate the database',
    kind: 'lasting',
    later: 'the log waits for it, as in the middle of a restore; a statement of a handler fails',
  },
];

/** What is known of a code; nothing of one that is in no table. */
export function sqlCodeOf(code: string | undefined): SqlCode | undefined {
  return sqlCodes.find((each) => each.code === code);
}
