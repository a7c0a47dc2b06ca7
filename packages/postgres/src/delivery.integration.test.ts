import { afterAll, beforeAll, describe, it } from 'vitest';

import { hasPostgres } from '../../../scripts/services/test-database.ts';
import { PostgresBench } from '../test/conformance-bench.ts';
import { describeDeliveries, describeDeliveryStores } from '../test/delivery-conformance.ts';

const api = { describe, it };

for (const major of [18, 15] as const) {
  describe.skipIf(!hasPostgres(major))(`PostgreSQL ${major}`, () => {
    const bench = new PostgresBench(major);
    beforeAll(() => bench.open());
    afterAll(() => bench.close());

    describeDeliveryStores(bench, api);
    // These cases wait more than they work.
    describe('side by side', { concurrent: true }, () => describeDeliveries(bench, api));
  });
}
