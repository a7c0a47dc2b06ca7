import { afterAll, beforeAll, describe, it } from 'vitest';

import { hasPostgres } from '../../../../scripts/services/test-database.ts';
import { PostgresBench } from '../../test/conformance-bench.ts';
import { describeStores } from '../../test/store-conformance.ts';

for (const major of [18, 15] as const) {
  describe.skipIf(!hasPostgres(major))(`PostgreSQL ${major}`, () => {
    const bench = new PostgresBench(major);
    beforeAll(() => bench.open());
    afterAll(() => bench.close());

    describeStores(bench, { describe, it });
  });
}
