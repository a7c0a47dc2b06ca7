// Inputs 1 to 40, at both ways in, where nothing but Redis is there.

import { hasRedis } from '../../scripts/services/test-redis.ts';
import { events } from './cases/events.ts';
import { describeDoors } from './support/doors.ts';
import { openRedisBench } from './support/open-bench.ts';

describeDoors('Redis', hasRedis() ? () => openRedisBench() : undefined, events);
