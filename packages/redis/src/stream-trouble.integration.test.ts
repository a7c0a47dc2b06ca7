import { startFaultProxy, type FaultMode, type FaultProxy } from '@waybill/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { hasRedis, redisUrl } from '../../../scripts/services/test-redis.ts';
import { message, StreamBench, StreamProbe, waiting } from '../test/stream-bench.ts';
import { releasedConsumer } from './claim-scripts.ts';

/** Within this time a consumer says that its server is away. */
const toldWithin = { ...waiting, timeout: 10_000 };

describe.skipIf(!hasRedis())('a consumer of streams in trouble', () => {
  let bench: StreamBench;
  let proxy: FaultProxy;
  let url: URL;
  beforeEach(async () => {
    bench = new StreamBench();
    url = new URL(redisUrl());
    proxy = await startFaultProxy({ to: { host: url.hostname, port: Number(url.port) } });
    url.host = `${proxy.host}:${proxy.port}`;
  });
  afterEach(async () => {
    await proxy.switchTo({ kind: 'pass' });
    await bench.close();
    await proxy.stop();
  });

  const inTrouble = (probe: StreamProbe, expected: boolean): Promise<void> =>
    vi.waitFor(() => expect(probe.troubles.at(-1) !== undefined).toBe(expected), toldWithin);

  it.each<[string, FaultMode[]]>([
    ['gives no answer any more', [{ kind: 'black-hole' }]],
    ['refuses connections', [{ kind: 'reset' }, { kind: 'refuse' }]],
    ['accepts connections and says nothing', [{ kind: 'reset' }, { kind: 'deaf' }]],
  ])(
    'says so when Redis %s: one that reads, is full, is paused or listens to all',
    async (_, modes) => {
      const transport = await bench.connect({ redis: url.href });
      const probes = {
        reading: await StreamProbe.subscribe(transport, 'reading', { settle: true }),
        full: await StreamProbe.subscribe(transport, 'full', { maxInFlight: 1 }),
        paused: await StreamProbe.subscribe(transport, 'paused'),
        fullListener: await StreamProbe.subscribe(transport, null, { maxInFlight: 1 }),
        listener: await StreamProbe.subscribe(transport, null, { settle: true }),
      };
      await transport.publish([message(), message()]);
      await Promise.all([probes.full.received(1), probes.fullListener.received(1)]);
      await Promise.all([probes.reading.received(2), probes.listener.received(2)]);
      probes.paused.consumer.pause();

      for (const mode of modes) await proxy.switchTo(mode);
      for (const probe of Object.values(probes)) await inTrouble(probe, true);
      await proxy.switchTo({ kind: 'pass' });
      for (const probe of Object.values(probes)) await inTrouble(probe, false);
      const sent = message();
      await vi.waitFor(async () => {
        const outcomes = await transport.publish([sent]);
        expect(outcomes).toMatchObject([{ status: 'accepted' }]);
      }, waiting);
      for (const probe of [probes.reading, probes.listener]) {
        await vi.waitFor(() => expect(probe.ids).toContain(sent.id), waiting);
      }
    },
  );

  it('says so when what it settles is refused, and keeps it until it is taken', async () => {
    const user = `waybill-${bench.prefix.replaceAll(':', '')}`;
    await bench.redis.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all', '-xack');
    Object.assign(url, { username: user, password: 'secret' });
    const transport = await bench.connect({ redis: url.href });
    const probe = await StreamProbe.subscribe(transport, 'stock', { settle: true });
    await transport.publish([message()]);
    await probe.received(1);
    await inTrouble(probe, true);
    expect(String(probe.troubles.at(-1))).toContain('be told what is settled');
    await bench.redis.call('ACL', 'SETUSER', user, '+xack');
    await inTrouble(probe, false);
    expect(await bench.pending('stock')).toEqual({});
    await transport.close();
    await bench.redis.call('ACL', 'DELUSER', user);
  });

  it('gives back what is in hand when it has ended for good, and others get it', async () => {
    const transport = await bench.connect({ claimMs: 300, blockMs: 50 });
    const patterns = ['*'];
    const probe = await StreamProbe.subscribe(transport, 'stock', { maxInFlight: 2, patterns });
    const sent = [message(), message(), message()];
    await transport.publish(sent);
    const held = await probe.received(2);
    probe.consumer.setMaxInFlight(100);
    await probe.received(3);
    const streams = `${bench.prefix}:streams`;
    await bench.redis.set(streams, 'no set of streams');
    await expect(probe.consumer.finished).rejects.toMatchObject({ retryable: false });
    expect(held.map(({ signal }) => signal.aborted)).not.toContain(false);
    await bench.redis.del(streams);
    const next = await StreamProbe.subscribe(await bench.connect({ claimMs: 300 }), 'stock');
    await next.received(3);
    expect(next.ids).toEqual(sent.map(({ id }) => id));
    held[0]!.settle();
    await probe.consumer.close();
    await next.consumer.close();
    expect(await bench.pending('stock')).toEqual({ [releasedConsumer]: 3 });
  });

  it('waits once for a server that is away when it closes, however many streams it has', async () => {
    const transport = await bench.connect({ redis: url.href, timeoutMs: 400, blockMs: 50 });
    const patterns = Array.from({ length: 20 }, (_, index) => `domain${index}.*`);
    const probe = await StreamProbe.subscribe(transport, 'stock', { patterns });
    await proxy.switchTo({ kind: 'reset' });
    await proxy.switchTo({ kind: 'refuse' });
    const [closed, late] = [probe.consumer.close(), Promise.withResolvers<string>()];
    // One wait for each stream would be twenty times as long as the longest of them.
    const timer = setTimeout(() => late.resolve('late'), 400 * 10);
    expect(await Promise.race([closed, late.promise])).toBeUndefined();
    clearTimeout(timer);
    expect(bench.seen('consume-failed').length).toBeGreaterThan(19);
  });
});
