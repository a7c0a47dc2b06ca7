// Inputs 1 to 40, at both ways in: published by a caller of ours, and put on the transport by anybody.

import { events } from './cases/events.ts';
import { describeDoors } from './support/doors.ts';
import { openEmbeddedBench, openMemoryBench } from './support/open-bench.ts';

describeDoors('memory', openMemoryBench, events);
// With store, outbox, log and inbox.
describeDoors('embedded PostgreSQL', openEmbeddedBench, events);
