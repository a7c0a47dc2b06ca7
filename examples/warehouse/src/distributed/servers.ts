import { InputError } from '../input/input-error.ts';

/** Where the servers are that the processes share. */
export interface Servers {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

/**
 * Reads from the environment where the servers are.
 *
 * @throws {InputError} If an address is missing or is none.
 */
export function readServers(environment: NodeJS.ProcessEnv): Servers {
  return {
    databaseUrl: addressOf(
      environment,
      'DATABASE_URL',
      /^postgres(ql)?:$/,
      'postgres://user@host/db',
    ),
    redisUrl: addressOf(environment, 'REDIS_URL', /^rediss?:$/, 'redis://host:6379'),
  };
}

function addressOf(
  environment: NodeJS.ProcessEnv,
  variable: string,
  protocol: RegExp,
  example: string,
): string {
  const address = environment[variable];
  if (!address) {
    throw new InputError(
      `--distributed needs ${variable}; npm start in the folder of the checkout starts a server by itself`,
    );
  }
  // What is wrong with it is not repeated, because it may hold a password.
  if (protocol.test(URL.parse(address)?.protocol ?? '')) return address;
  throw new InputError(`${variable} must be an address such as ${example}`);
}
