import { describe, expect, it } from 'vitest';
import { startServer } from './start-server.ts';

describe('starting a server', () => {
  it('is tried on another port when somebody took the first one', async () => {
    const servers = fakeServers('port taken', undefined);

    const server = await startServer(servers.options);

    expect(server.url).toBe('server://2');
    expect(servers.calls).toEqual(['launch 1', 'stop 1', 'launch 2']);
  });

  it('fails with the last words after three ports', async () => {
    const servers = fakeServers('port taken', 'port taken', 'port taken again');

    await expect(startServer(servers.options)).rejects.toThrow(
      'Server did not start: port taken again',
    );
    expect(servers.calls.at(-1)).toBe('stop 3');
  });

  it('fails at once for any other reason', async () => {
    const servers = fakeServers('disk full');

    await expect(startServer(servers.options)).rejects.toThrow('Server did not start: disk full');
    expect(servers.calls).toEqual(['launch 1', 'stop 1']);
  });
});

/** Servers made of promises: each dies with the given words, or answers where there are none. */
function fakeServers(...lastWords: (string | undefined)[]) {
  const calls: string[] = [];
  let count = 0;
  const options = {
    name: 'Server',
    async launch() {
      const number = (count += 1);
      calls.push(`launch ${number}`);
      const words = lastWords[number - 1];
      return {
        url: `server://${number}`,
        exited: words === undefined ? new Promise<string>(() => {}) : Promise.resolve(words),
        async stop() {
          calls.push(`stop ${number}`);
        },
      };
    },
    async ping() {
      if (lastWords[count - 1] !== undefined) throw new Error('refused');
    },
    portWasTaken: (words: string) => words.startsWith('port taken'),
  };
  return { options, calls };
}
