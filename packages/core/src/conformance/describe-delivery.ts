import { describeBroadcastDeliveries } from './delivery/broadcasting.ts';
import { describeDeadLettering } from './delivery/dead-lettering.ts';
import type { DeliveryConformanceOptions } from './delivery/delivery-bench.ts';
import { describeDeploys } from './delivery/deploys.ts';
import { describeHandingOver } from './delivery/handing-over.ts';
import { describeLanes } from './delivery/lanes.ts';
import { describeOnce } from './delivery/once.ts';
import { describeOutages } from './delivery/outages.ts';
import { describePausing } from './delivery/pausing.ts';
import { describeRedrives } from './delivery/redriving.ts';
import { describeRetries } from './delivery/retries.ts';
import { describeStopping } from './delivery/stopping.ts';
import type { TestApi } from './test-api.ts';

/**
 * The law of delivery: what the consumer engine promises, over a transport and a dead-letter queue.
 *
 * @param name Of the combination, for the report.
 * @param api `describe` and `it` of the caller's test runner.
 */
export function describeDelivery(
  name: string,
  options: DeliveryConformanceOptions,
  api: TestApi,
): void {
  api.describe(`delivery over ${name}`, () => {
    describeRetries(options, api);
    describeDeadLettering(options, api);
    describeBroadcastDeliveries(options, api);
    describeRedrives(options, api);
    describeLanes(options, api);
    describeOutages(options, api);
    describePausing(options, api);
    describeStopping(options, api);
    describeOnce(options, api);
    describeDeploys(options, api);
    describeHandingOver(options, api);
  });
}
