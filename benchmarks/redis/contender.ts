import type { GradedItem } from './graded-item.ts';

/** What a handler is asked to do. */
export type Handle = (data: GradedItem) => void;

/** One way of carrying events over Redis. All that a run makes there begins with its `prefix`. */
export interface Contender {
  openProducer(prefix: string): Promise<Producer>;
  /** Connects, so that nothing published from now on is missed; `start` begins to take events. */
  openConsumer(prefix: string, handle: Handle): Promise<Consumer>;
}

export interface Producer {
  publish(index: number): Promise<unknown>;
  publishBatch(indexes: readonly number[]): Promise<unknown>;
  close(): Promise<void>;
}

export interface Consumer {
  start(): Promise<void>;
  /** Ends when what was handled is settled. */
  close(): Promise<void>;
}

/** Handlers side by side, of whoever limits them. */
export const concurrency = 50;

export function redisUrl(): string {
  const url = process.env.REDIS_URL;
  if (!url) throw new Error('REDIS_URL is not set; run this by: npm run bench -- redis');
  return url;
}
