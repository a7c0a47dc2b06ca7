import { describe } from 'vitest';

import { describeJoinedPublishing } from '../../test/joined-publishing.ts';
import { PgliteBench } from '../../test/conformance-bench.ts';

describe('PGlite', () => {
  describeJoinedPublishing(new PgliteBench());
});
