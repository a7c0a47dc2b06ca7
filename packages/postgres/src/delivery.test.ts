import { afterAll, beforeAll, describe, it } from 'vitest';

import { PgliteBench } from '../test/conformance-bench.ts';
import { describeDeliveries } from '../test/delivery-conformance.ts';

const bench = new PgliteBench();
beforeAll(() => bench.open());
afterAll(() => bench.close());

describeDeliveries(bench, { describe, it });
