import { spawnWorker } from '../../src/spawn-worker.ts';
import { tellParent } from '../../src/worker-side.ts';

const child = spawnWorker(new URL('./echo.ts', import.meta.url), { ending: 'wait' });
await child.message('clock');
await tellParent('grandchild', { pid: child.pid });
