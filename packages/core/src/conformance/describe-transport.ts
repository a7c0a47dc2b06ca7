import type { TestApi } from './test-api.ts';
import { describeAccess } from './transport/access.ts';
import { describeBroadcast } from './transport/broadcast.ts';
import { describeClaims } from './transport/claims.ts';
import { describeDeliveries } from './transport/delivery.ts';
import { describeFlow } from './transport/flow.ts';
import { describeGroups } from './transport/groups.ts';
import { describeInspection } from './transport/inspection.ts';
import { describeJudging } from './transport/judging.ts';
import { describeLifecycle } from './transport/lifecycle.ts';
import { describeMessages } from './transport/messages.ts';
import { describeOwnership } from './transport/ownership.ts';
import { describePublishing } from './transport/publishing.ts';
import { describeRegistry } from './transport/registry.ts';
import { describeRepeats } from './transport/repeats.ts';
import { describeSettling } from './transport/settling.ts';
import { describeTrouble } from './transport/trouble.ts';
import type { TransportConformanceOptions } from './transport/transport-bench.ts';

/**
 * The law of `Transport`: what every adapter must do, and what it may leave out if it says so.
 *
 * @param name Of the adapter, for the report.
 * @param options The adapter, and what it claims.
 * @param api `describe` and `it` of the caller's test runner.
 */
export function describeTransport(
  name: string,
  options: TransportConformanceOptions,
  api: TestApi,
): void {
  api.describe(`transport ${name}`, () => {
    describeClaims(options, api);
    describeMessages(options, api);
    describePublishing(options, api);
    describeDeliveries(options, api);
    describeSettling(options, api);
    describeRepeats(options, api);
    describeOwnership(options, api);
    describeRegistry(options, api);
    describeJudging(options, api);
    describeGroups(options, api);
    describeFlow(options, api);
    describeLifecycle(options, api);
    describeBroadcast(options, api);
    describeInspection(options, api);
    describeTrouble(options, api);
    describeAccess(options, api);
  });
}
