import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { envelope } from '../../test/envelope.ts';
import { raise, recording } from '../../test/handlers.ts';
import { PublisherBench } from '../../test/publisher-bench.ts';
import { tinyCodec } from '../../test/tiny-codec.ts';
import { settle, until } from '../../test/until.ts';
import { plainProfile } from '../event/envelope.ts';
import { type Logger, silentLogger } from '../observer.ts';
import { TransportEventBus } from './event-bus.ts';

let bench: PublisherBench;

beforeEach(() => {
  bench = new PublisherBench();
});

afterEach(async () => {
  const ended = bench.bus.shutdown({ deadlineMs: 0 });
  await settle();
  await bench.clock.advance(0);
  await ended;
  await bench.end();
});

const graded = { type: 'item.graded', data: { grade: 'A' } };

describe('a bus', () => {
  it('takes an event from a publisher to a handler', async () => {
    const { handled, handler } = recording();
    await bench.bus.subscribe(['item.*'], handler);
    await bench.bus.start();
    expect(await bench.bus.publish(envelope({ id: 'e1' }))).toBe('0');
    expect(await bench.bus.publishBatch([envelope({ id: 'e2' }), envelope({ id: 'e3' })])).toEqual([
      '1',
      '2',
    ]);
    await bench.settled();
    expect(handled).toEqual(['e1', 'e2', 'e3']);
  });

  it('rejects what cannot be encoded, never throws it', async () => {
    const circle: unknown[] = [];
    circle.push(circle);
    await bench.bus.connect();
    const published = bench.bus.publishBatch([envelope({ data: circle })]);
    await expect(published).rejects.toThrow(/^PAYLOAD_NOT_JSON/);
  });

  it('tells listeners what was published, with and without an outbox', async () => {
    const told: unknown[] = [];
    bench.bus.on('published', (published) => told.push(published));
    await bench.publisher({ store: undefined }).publish(graded);
    await bench.publisher().publish(graded);
    await until(() => told.length === 2, 'both were published');
    expect(told).toMatchObject([
      { streamKey: 'memory', messageId: '0', event: { id: 'id-1', type: 'item.graded' } },
      { streamKey: 'memory', messageId: '1', event: { id: 'id-2', type: 'item.graded' } },
    ]);
  });

  it('tells them what was handled, what failed, and what became a dead letter', async () => {
    const told: [string, string, unknown][] = [];
    bench.bus.on('processed', ({ messageId, event }) => told.push(['processed', messageId, event]));
    bench.bus.on('processingError', ({ messageId, error }) =>
      told.push(['error', messageId, error]),
    );
    bench.bus.on('deadLetter', ({ messageId, error }) =>
      told.push(['dead', messageId, error.message]),
    );
    const failed = new Error('no');
    await bench.bus.subscribe(['item.*'], ({ id }) => (id === 'bad' ? raise(failed) : undefined), {
      retry: { maxRetries: 0 },
    });
    await bench.bus.start();
    bench.publish({ id: 'good' }, { id: 'bad' });
    await bench.settled();
    expect(told).toEqual([
      ['processed', '0', { id: 'good', type: 'item.graded' }],
      ['error', '1', failed],
      ['dead', '1', expect.stringContaining('item.graded bad: handler item.* failed: no')],
    ]);
  });

  it('publishes and handles although its listeners throw', async () => {
    for (const name of ['published', 'processed'] as const) {
      bench.bus.on(name, () => raise(new Error('listener bug')));
    }
    const { handled, handler } = recording();
    await bench.bus.subscribe(['item.*'], handler);
    await bench.bus.start();
    await bench.bus.publish(envelope({ id: 'e1' }));
    await bench.publisher().publish({ ...graded, id: 'e2' });
    await until(() => handled.length === 2, 'both are handled');
    expect(bench.seen.of('relay-failed')).toEqual([]);
  });

  it('has one group per name, set up by whoever asks first', () => {
    const group = bench.bus.consumers('graders', { concurrency: 3 });
    expect(bench.bus.consumers('graders')).toBe(group);
    expect(bench.bus.consumers('graders', { concurrency: undefined })).toBe(group);
    expect(bench.bus.consumers().group).toBe('tests-group');
    expect(() => bench.bus.consumers('graders', { concurrency: 5 })).toThrow(TypeError);
    expect(bench.bus.consumers(null)).not.toBe(bench.bus.consumers(null));
  });

  it('does not take an option given as undefined for a choice', async () => {
    const told: string[] = [];
    const bus = new TransportEventBus({
      serviceName: 'tests',
      transport: bench.transport,
      codec: tinyCodec,
      profile: plainProfile,
      consumers: {
        deadLetters: bench.deadLetters,
        clock: bench.clock,
        observer: ({ kind }) => void told.push(kind),
      },
    });
    const group = bus.consumers('graders', { deadLetters: undefined, retry: undefined });
    group.on(['item.*'], () => {});
    await group.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect(told).toEqual(['delivered', 'processed']);
    await bench.stop(group);
  });

  it('has its groups tell its logger what people have to know, unless they have their own', async () => {
    const logged: string[] = [];
    const loggerOf = (whose: string): Logger => ({
      ...silentLogger,
      error: (_, text) => void logged.push(`${whose}: ${text}`),
    });
    const bus = new TransportEventBus({
      serviceName: 'logging',
      transport: bench.transport,
      sharedTransport: true,
      codec: tinyCodec,
      profile: plainProfile,
      consumers: { deadLetters: bench.deadLetters, retry: { maxRetries: 0 } },
      logger: loggerOf('bus'),
      silence: ['ATTEMPT_FAILED'],
      clock: bench.clock,
    });
    for (const [name, choices] of [
      ['heard', {}],
      ['own', { logger: loggerOf('own') }],
    ] as const) {
      bus.consumers(name, choices).on(['item.*'], () => raise(new Error('no')));
    }
    await bus.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect(logged.toSorted()).toEqual([
      expect.stringMatching(/^bus: .*dead letter of group heard/),
      expect.stringMatching(/^own: .*dead letter of group own/),
    ]);
    for (const name of ['heard', 'own']) await bench.stop(bus.consumers(name));
  });

  it('begins new groups at the time that was said, whatever became of the Date since', async () => {
    bench.publish({ id: 'e1' });
    await bench.clock.advance(1_000);
    const start = new Date(bench.clock.now());
    const { transport, deadLetters, clock } = bench;
    const bus = new TransportEventBus({
      serviceName: 'tests',
      transport,
      codec: tinyCodec,
      profile: plainProfile,
      consumers: { deadLetters, clock, start },
    });
    start.setTime(0);
    const { handled, handler } = recording();
    const group = bus.consumers();
    group.on(['item.*'], handler);
    await group.start();
    bench.publish({ id: 'e2' });
    await bench.settled();
    expect(handled).toEqual(['e2']);
    await bench.stop(group);
  });

  it('starts the groups that have handlers, and no others', async () => {
    const { handled, handler } = recording();
    const idle = bench.bus.consumers('idle');
    await bench.bus.subscribe(['item.*'], handler);
    await bench.bus.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect({ handled, running: idle.running }).toEqual({ handled: ['e1'], running: false });
  });

  it('closes its transport although a group could not be stopped', async () => {
    const group = bench.bus.consumers();
    group.on(['item.*'], () => {});
    await bench.bus.start();
    group.stop = () => Promise.reject(new Error('cannot stop'));
    await expect(bench.bus.shutdown()).rejects.toThrow('cannot stop');
    await expect(bench.transport.publish([])).rejects.toThrow(/^NOT_CONNECTED/);
    delete (group as { stop?: unknown }).stop;
  });

  it('leaves a transport open that others use', async () => {
    const bus = new TransportEventBus({
      serviceName: 'tests',
      transport: bench.transport,
      sharedTransport: true,
      codec: tinyCodec,
      profile: plainProfile,
      consumers: {},
    });
    await bus.connect();
    await bus.shutdown();
    await expect(bench.transport.publish([])).resolves.toEqual([]);
  });

  it('names what its groups left unfinished', async () => {
    await bench.bus.subscribe(['item.*'], () => new Promise<void>(() => {}), { name: 'stuck' });
    await bench.bus.start();
    bench.publish({ id: 'e1' });
    await settle();
    const ended = bench.bus.shutdown({ deadlineMs: 500 });
    await settle();
    await bench.clock.advance(500);
    await ended;
    expect(bench.bus.unfinished).toMatchObject([{ eventId: 'e1', handler: 'stuck' }]);
  });

  it('shows its streams and groups, and an empty one where there is none', async () => {
    await bench.bus.subscribe(['item.*'], () => {});
    await bench.bus.start();
    bench.publish({ id: 'e1' });
    await bench.settled();
    expect(await bench.bus.getStreamInfo('memory')).toMatchObject({ name: 'memory', length: 1 });
    expect(await bench.bus.getGroupInfo('memory')).toMatchObject([
      { name: 'tests-group', pending: 0, lag: 0, lagSeconds: 0, consumers: 1 },
    ]);
    expect(await bench.bus.getStreamInfo('nowhere')).toEqual({
      name: 'nowhere',
      length: 0,
      groups: [],
    });
  });

  it('needs a service name', () => {
    const { transport } = bench;
    const rest = { transport, codec: tinyCodec, profile: plainProfile, consumers: {} };
    expect(() => new TransportEventBus({ serviceName: '', ...rest })).toThrow(TypeError);
  });
});
