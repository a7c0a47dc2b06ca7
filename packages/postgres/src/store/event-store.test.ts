import { afterAll, beforeAll, describe, it } from 'vitest';

import { PgliteBench } from '../../test/conformance-bench.ts';
import { describeStores } from '../../test/store-conformance.ts';

const bench = new PgliteBench();
beforeAll(() => bench.open());
afterAll(() => bench.close());

describeStores(bench, { describe, it });
