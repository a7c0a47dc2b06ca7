import { createHash } from 'node:crypto';

import type { CrashPoints } from './crash-points.ts';
import { override } from './override.ts';
import { redisPoint, redisScriptPoint, type RedisPoint } from './redis-point-name.ts';

/** The part of a Redis client that sends commands; ioredis has this shape. */
export interface RedisClientShape {
  call(command: string, ...args: never[]): Promise<unknown>;
  callBuffer(command: string, ...args: never[]): Promise<unknown>;
  duplicate(override?: object): RedisClientShape;
}

type Send = (command: string, ...args: never[]) => Promise<unknown>;

export interface CrashingRedisOptions {
  /** Which commands are points; those that may write unless given. */
  readonly isPoint?: (point: RedisPoint) => boolean;
}

/**
 * Makes every command of a Redis client that may write a crash point: before it is sent, and after its
 * answer has come. What reads a group is one, since Redis notes who has what.
 *
 * A script is named after the commands in it, as in `SCRIPT (XCLAIM, XACK)`. For that the client says once
 * of each script that the server does not know it, so that its text is sent.
 *
 * @param points `CrashPoints`, or anything else that is to happen around a command.
 * @returns The client in every other respect; its duplicates are wrapped too.
 */
export function crashingRedisClient<Client extends RedisClientShape>(
  client: Client,
  points: Pick<CrashPoints, 'around'>,
  options: CrashingRedisOptions = {},
): Client {
  return wrap(client, points, options, new Map()) as Client;
}

/** @param scripts What is known of scripts, by digest. */
function wrap(
  client: RedisClientShape,
  points: Pick<CrashPoints, 'around'>,
  options: CrashingRedisOptions,
  scripts: Map<string, RedisPoint>,
): RedisClientShape {
  const { isPoint = ({ writes }) => writes } = options;
  const around =
    (send: Send): Send =>
    async (command, ...args) => {
      const point = pointOf(command, args, scripts);
      if (!isPoint(point)) return await send(command, ...args);
      return await points.around(point.name, () => send(command, ...args));
    };
  return override<RedisClientShape>(client, {
    call: around((command, ...args) => client.call(command, ...args)),
    callBuffer: around((command, ...args) => client.callBuffer(command, ...args)),
    duplicate: (given) => wrap(client.duplicate(given), points, options, scripts),
  });
}

/** @throws Error as of Redis for a script whose text has not been seen. */
function pointOf(
  command: string,
  args: readonly unknown[],
  scripts: Map<string, RedisPoint>,
): RedisPoint {
  const text = String(args[0]);
  if (command === 'EVAL') {
    const point = redisScriptPoint(text);
    scripts.set(createHash('sha1').update(text).digest('hex'), point);
    return point;
  }
  if (command !== 'EVALSHA') return redisPoint(command, args);
  const known = scripts.get(text);
  if (known) return known;
  const message = 'NOSCRIPT the text of this script has to be seen once';
  throw Object.assign(new Error(message), { name: 'ReplyError' });
}
