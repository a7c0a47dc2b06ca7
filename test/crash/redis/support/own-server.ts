import { startTestRedis, type TestRedis } from '../../../../scripts/services/test-redis.ts';
import { StreamRig } from './stream-rig.ts';

/** A Redis server of one test's own, and services on it. */
export interface OwnServer {
  readonly redis: TestRedis;
  readonly rig: StreamRig;
  [Symbol.asyncDispose](): Promise<void>;
}

/** @param settings As in redis.conf. */
export async function ownServer(settings: Record<string, string> = {}): Promise<OwnServer> {
  const redis = await startTestRedis({ settings });
  const rig = new StreamRig(redis.url);
  return {
    redis,
    rig,
    async [Symbol.asyncDispose]() {
      await rig.close();
      await redis.stop();
    },
  };
}
