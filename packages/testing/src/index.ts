export { CrashPoints } from './crash-points.ts';
export type { CrashMoment, CrashPlan } from './crash-points.ts';
export { crashingSqlClient } from './crashing-sql-client.ts';
export type { SqlClientShape, SqlRunner } from './crashing-sql-client.ts';
export { crashingTransport } from './crashing-transport.ts';
export { spawnWorker } from './spawn-worker.ts';
export type { WorkerExit, WorkerMessage, WorkerOptions, WorkerProcess } from './spawn-worker.ts';
export { tellParent, workerArgs } from './worker-side.ts';
