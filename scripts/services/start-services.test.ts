import { describe, expect, it } from 'vitest';
import type { Service } from './service.ts';
import { startServices } from './start-services.ts';

describe('starting services', () => {
  it('takes the URL that the environment gives and starts nothing', async () => {
    const server = fakeServer();

    const started = await startServices([server.service], { SERVER_URL: 'given://' });

    expect(started.urls).toEqual({ SERVER_URL: 'given://' });
    expect(server.calls).toEqual(['wait for given://']);
  });

  it('starts one of its own where the environment gives none, and stops it', async () => {
    const server = fakeServer();

    const started = await startServices([server.service], {});
    await started.stop();

    expect(started.urls).toEqual({ SERVER_URL: 'started://' });
    expect(server.calls).toEqual(['start', 'stop']);
  });

  it('lists a server that does not start with the reason', async () => {
    const server = fakeServer({ startError: new Error('no such platform') });

    const started = await startServices([server.service], {});

    expect(started.urls).toEqual({});
    expect(started.missing).toEqual([
      { name: 'Server', variable: 'SERVER_URL', reason: 'no such platform' },
    ]);
  });

  it('names the variable when nothing answers at the given URL, and does not start another', async () => {
    const server = fakeServer({ waitError: new Error('refused') });

    const started = await startServices([server.service], { SERVER_URL: 'given://' });

    expect(started.missing[0]?.reason).toContain('SERVER_URL is set');
    expect(started.missing[0]?.reason).toContain('refused');
    expect(server.calls).toEqual(['wait for given://']);
  });

  it('keeps the servers that are there when another is missing', async () => {
    const there = fakeServer();
    const missing = fakeServer({ startError: new Error('nothing here') });

    const started = await startServices(
      [{ ...missing.service, variable: 'OTHER_URL' }, there.service],
      {},
    );

    expect(started.urls).toEqual({ SERVER_URL: 'started://' });
    expect(started.missing.map(({ variable }) => variable)).toEqual(['OTHER_URL']);
  });

  it('fails with the last words of a server that goes away unasked', async () => {
    const server = fakeServer();

    const started = await startServices([server.service], {});
    server.goAway('disk full');

    await expect(started.failure).rejects.toThrow('started:// went away: disk full');
  });
});

/** A server made of promises, so that each way of being missing can be had on any machine. */
function fakeServer(errors: { startError?: Error; waitError?: Error } = {}) {
  const calls: string[] = [];
  const { promise: exited, resolve: goAway } = Promise.withResolvers<string>();
  const service: Service = {
    name: 'Server',
    variable: 'SERVER_URL',
    async waitUntilReady(url) {
      calls.push(`wait for ${url}`);
      if (errors.waitError) throw errors.waitError;
    },
    async start() {
      calls.push('start');
      if (errors.startError) throw errors.startError;
      return {
        url: 'started://',
        exited,
        async stop() {
          calls.push('stop');
          goAway('stopped');
        },
      };
    },
  };
  return { service, calls, goAway };
}
