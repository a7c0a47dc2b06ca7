import { appendFileSync } from 'node:fs';

import { tellParent, workerArgs } from '../../src/worker-side.ts';

const { ending, file } = workerArgs<{ ending: string; file?: string }>();

console.log('first line');
console.log(`env ${process.env.WORKER_TEST ?? 'none'}`);
console.error('a complaint');
await tellParent('clock', { now: Date.now(), made: new Date().getTime(), epoch: +new Date(0) });

if (ending === 'wait') setInterval(() => {}, 1_000);
if (ending === 'fail') process.exitCode = 3;
if (ending === 'die') process.kill(process.pid, 'SIGKILL');
if (ending === 'stay') {
  process.on('SIGTERM', () => process.exit(0));
  setInterval(() => appendFileSync(file!, '.'), 10);
}
