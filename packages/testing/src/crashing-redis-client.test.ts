import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { CrashPoints } from './crash-points.ts';
import { crashingRedisClient } from './crashing-redis-client.ts';

const script = "return redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])";
const digest = createHash('sha1').update(script).digest('hex');

/** Writes down what reaches the server, as if it knew every script. */
class RecordingClient {
  readonly status = 'ready';
  readonly seen: string[];

  constructor(seen: string[] = []) {
    this.seen = seen;
  }

  async call(command: string, ...args: unknown[]): Promise<string> {
    this.seen.push([command, ...args].join(' '));
    return `answer to ${command}`;
  }

  async callBuffer(command: string, ...args: unknown[]): Promise<Buffer> {
    return Buffer.from(await this.call(command, ...args));
  }

  duplicate(given?: { name?: string }): RecordingClient {
    this.seen.push(`duplicate ${given?.name}`);
    return new RecordingClient(this.seen);
  }
}

function crashOnce(): () => void {
  return () => {
    throw new Error('crashed');
  };
}

describe('a crashing Redis client', () => {
  it('records commands that write, of its duplicates too, and passes all of them on', async () => {
    const points = new CrashPoints();
    const inner = new RecordingClient();
    const client = crashingRedisClient(inner, points);
    const copy = client.duplicate({ name: 'reader' });

    expect(await client.call('XADD', 's', '*')).toBe('answer to XADD');
    await client.call('XINFO', 'STREAM', 's');
    await copy.call('XREADGROUP', 'GROUP', 'g', 'c');
    expect(String(await copy.callBuffer('XRANGE', 's', '-', '+'))).toBe('answer to XRANGE');
    await copy.duplicate().call('XACK', 's', 'g', '1-0');

    expect(client.status).toBe('ready');
    expect(points.names).toEqual(['XADD', 'XREADGROUP', 'XACK']);
    expect(inner.seen).toEqual([
      'duplicate reader',
      'XADD s *',
      'XINFO STREAM s',
      'XREADGROUP GROUP g c',
      'XRANGE s - +',
      'duplicate undefined',
      'XACK s g 1-0',
    ]);
  });

  it('has the text of each script sent once, and names it after what it writes', async () => {
    const points = new CrashPoints();
    const inner = new RecordingClient();
    const client = crashingRedisClient(inner, points);

    await expect(client.call('EVALSHA', digest, 1, 's')).rejects.toMatchObject({
      name: 'ReplyError',
      message: expect.stringMatching(/^NOSCRIPT /),
    });
    await client.call('EVAL', script, 1, 's');
    await client.duplicate().call('EVALSHA', digest, 1, 's');

    expect(points.names).toEqual(['SCRIPT (XACK)', 'SCRIPT (XACK) #2']);
    expect(inner.seen.filter((command) => command.startsWith('EVAL'))).toEqual([
      `EVAL ${script} 1 s`,
      `EVALSHA ${digest} 1 s`,
    ]);
  });

  it('takes what it is told to for a point', async () => {
    const points = new CrashPoints();
    const isPoint = ({ name }: { name: string }): boolean => name === 'XPENDING';
    const client = crashingRedisClient(new RecordingClient(), points, { isPoint });

    await client.call('XADD', 's', '*');
    await client.call('XPENDING', 's', 'g');

    expect(points.names).toEqual(['XPENDING']);
  });

  it.for(['before', 'after'] as const)(
    'crashes %s a command reaches the server',
    async (moment) => {
      const inner = new RecordingClient();
      const points = new CrashPoints({ point: 'XACK', moment }, crashOnce());

      await expect(crashingRedisClient(inner, points).call('XACK', 's')).rejects.toThrow('crashed');

      expect(inner.seen).toEqual(moment === 'before' ? [] : ['XACK s']);
    },
  );
});
