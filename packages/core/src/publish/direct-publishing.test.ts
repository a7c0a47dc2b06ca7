import { afterEach, beforeEach, expect, it } from 'vitest';

import { PublisherBench } from '../../test/publisher-bench.ts';
import { settle } from '../../test/until.ts';
import { accepted, type PublishOutcome } from '../transport/publish-outcome.ts';

let bench: PublisherBench;

beforeEach(() => {
  bench = new PublisherBench();
});

afterEach(() => bench.end());

it('is bad for the health within ten seconds if the broker does not answer, until it does', async () => {
  const { promise: answer, resolve } = Promise.withResolvers<readonly PublishOutcome[]>();
  bench.transport.publish = () => answer;
  const publisher = bench.publisher({ store: undefined });
  const published = publisher.publish({ type: 'item.graded', data: {} });
  await settle();
  await bench.clock.advance(10_000);
  expect(publisher.health()).toEqual({
    status: 'degraded',
    reasons: [expect.stringContaining('memory has not answered for')],
  });
  resolve([accepted('0')]);
  await published;
  expect(publisher.health()).toEqual({ status: 'ok', reasons: [] });
});
