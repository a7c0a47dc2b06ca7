/** What an answer of Redis that is an error means for whoever waits for it. */
export interface RedisCode {
  /** How the answer begins. */
  readonly code: string;
  readonly means: string;
  /** What a person can do. */
  readonly advice: string;
  /**
   * `access` ends a first start, and is waited out later; `passing` is waited out at any time; `lasting` is a
   * mistake that waiting does not mend.
   */
  readonly kind: 'access' | 'passing' | 'lasting';
}

/** The answers that have a meaning here. Whatever else Redis answers is taken for passing. */
export const redisCodes: readonly RedisCode[] = [
  {
    code: 'WRONGPASS',
    means: 'the user name or password is wrong',
    advice: 'correct it in the URL, or with ACL SETUSER on the server',
    kind: 'access',
  },
  {
    code: 'NOAUTH',
    means: 'the server wants a password and was given none',
    advice: 'give the password in the URL',
    kind: 'access',
  },
  {
    code: 'NOPERM',
    means: 'the user may not do this',
    advice: 'give it the rights that the guide of Redis lists',
    kind: 'access',
  },
  {
    code: 'DENIED',
    means: 'the server has no password and takes connections of its own machine only',
    advice: 'give the server a password, or turn its protected mode off',
    kind: 'access',
  },
  {
    code: 'LOADING',
    means: 'it is still loading its data',
    advice: 'it needs a moment',
    kind: 'passing',
  },
  {
    code: 'READONLY',
    means: 'it is a replica',
    advice: 'connect to the primary, unless a failover is under way',
    kind: 'passing',
  },
  {
    code: 'MASTERDOWN',
    means: 'it is a replica whose primary is away',
    advice: 'bring the primary back, or promote the replica',
    kind: 'passing',
  },
  {
    code: 'MISCONF',
    means: 'it cannot write to its disk',
    advice: 'make room on the disk; the log of Redis says more',
    kind: 'passing',
  },
  {
    code: 'OOM',
    means: 'it is full',
    advice: 'raise maxmemory, or let consumers catch up so that their streams can be trimmed',
    kind: 'passing',
  },
  {
    code: 'BUSY',
    means: 'a script of somebody else keeps it busy',
    advice: 'run SCRIPT KILL if it does not end',
    kind: 'passing',
  },
  {
    code: 'NOREPLICAS',
    means: 'fewer replicas are there than min-replicas-to-write asks for',
    advice: 'bring the replicas back',
    kind: 'passing',
  },
  {
    code: 'CLUSTERDOWN',
    means: 'the cluster does not serve all of its slots',
    advice: 'repair the cluster, or use a server that is none',
    kind: 'passing',
  },
  {
    code: 'ERR max number of clients',
    means: 'it has as many connections as it may have',
    advice: 'raise maxclients',
    kind: 'passing',
  },
  {
    code: 'WRONGTYPE',
    means: 'a key of this name holds something else',
    advice: 'choose another prefix',
    kind: 'lasting',
  },
  {
    code: 'ERR',
    means: 'it cannot do this: it does not know the command, or the database',
    advice: 'read what it says; a database is chosen by the number in the URL',
    kind: 'lasting',
  },
];

/** What is known of an answer; nothing of one that is in no table. */
export function redisCodeOf(code: string, message: string): RedisCode | undefined {
  const known = redisCodes.filter((each) => each.code.split(' ')[0] === code);
  return known.find((each) => message.includes(each.code)) ?? known.at(-1);
}
