// Loaded into every worker before its own code.

import { enableCompileCache } from 'node:module';

// A test starts the same modules many times over; compiled once, they start in a third of the time.
enableCompileCache();

// A worker whose parent is gone ends at once; watching for that must not keep it alive.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.channel?.unref();
