import { describe, expect, it } from 'vitest';

import { ManualClock } from '../memory/manual-clock.ts';
import { TroubleSources } from './trouble-sources.ts';

/** Two sources, and what the listener hears of them. */
function twoSources() {
  const clock = new ManualClock(0);
  const told: unknown[] = [];
  const troubles = new TroubleSources({
    onTrouble: (error) => void told.push(error),
    clock,
    transport: 'carrier-pigeon',
  });
  return { clock, told, troubles, reading: troubles.source(), settling: troubles.source() };
}

describe('the sources of trouble of a consumer', () => {
  it('tell of the first failure, and of the recovery once', () => {
    const { told, reading } = twoSources();
    const away = new Error('away');
    reading.failed(away);
    reading.gotOn();
    reading.gotOn();
    expect(told).toEqual([away, undefined]);
  });

  it('are in trouble as long as any of them is, with the words of one that is', () => {
    const { told, reading, settling } = twoSources();
    const [cannotRead, cannotSettle] = [new Error('cannot read'), new Error('cannot settle')];
    reading.failed(cannotRead);
    settling.failed(cannotSettle);
    settling.gotOn();
    reading.gotOn();
    expect(told).toEqual([cannotRead, cannotSettle, cannotRead, undefined]);
  });

  it('are in trouble before a try has failed that gets no answer, and no more when it gets one', async () => {
    const { clock, told, reading } = twoSources();
    const answer = Promise.withResolvers<string>();
    const work = reading.watch(() => answer.promise);
    await clock.advance(4_999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual([expect.objectContaining({ code: 'TRANSPORT_UNAVAILABLE' })]);
    answer.resolve('late');
    expect(await work).toBe('late');
    expect(told.at(-1)).toBeUndefined();
    expect(clock.waiting).toBe(0);
  });

  it('leave a failed try to whoever makes it', async () => {
    const { told, reading, clock } = twoSources();
    await expect(reading.watch(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(told).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  it('say so also where nothing was thrown that could be told', () => {
    const { told, reading } = twoSources();
    reading.failed(undefined);
    expect(told).toEqual([expect.any(Error)]);
  });

  it('tell nothing once the consumer has closed', () => {
    const { told, troubles, reading } = twoSources();
    troubles.end();
    reading.failed(new Error('away'));
    expect(told).toEqual([]);
  });
});
