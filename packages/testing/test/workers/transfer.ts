// Moves amounts from one file to another. Every line is a write; `careless` forgets what it had done.

import { appendFileSync, existsSync, readFileSync } from 'node:fs';

import { CrashPoints, type CrashPlan } from '../../src/crash-points.ts';
import { tellParent, workerArgs } from '../../src/worker-side.ts';

const { folder, plan, careless } = workerArgs<{
  folder: string;
  plan?: CrashPlan;
  careless: boolean;
}>();
const points = new CrashPoints(plan);

const written = existsSync(`${folder}/target`)
  ? readFileSync(`${folder}/target`, 'utf8').split('\n')
  : [];
for (const amount of ['ten', 'twenty']) {
  if (written.includes(amount) && !careless) continue;
  await points.around(`append ${amount}`, async () =>
    appendFileSync(`${folder}/target`, `${amount}\n`),
  );
}
await points.around('append end', async () => appendFileSync(`${folder}/target`, 'end\n'));
await tellParent('points', { names: points.names });
