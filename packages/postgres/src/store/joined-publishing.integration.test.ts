import { describe } from 'vitest';

import { hasPostgres } from '../../../../scripts/services/test-database.ts';
import { describeJoinedPublishing } from '../../test/joined-publishing.ts';
import { PostgresBench } from '../../test/conformance-bench.ts';

describe.skipIf(!hasPostgres())('PostgreSQL 18', () => {
  describeJoinedPublishing(new PostgresBench(18), new PostgresBench(18));
});
