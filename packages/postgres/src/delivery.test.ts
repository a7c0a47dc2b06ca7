import { afterAll, beforeAll, describe, it } from 'vitest';

import { PgliteBench } from '../test/conformance-bench.ts';
import { describeDeliveries, describeDeliveryStores } from '../test/delivery-conformance.ts';

const api = { describe, it };
const bench = new PgliteBench();
beforeAll(() => bench.open());
afterAll(() => bench.close());

describeDeliveryStores(bench, api);
describeDeliveries(bench, api);
