import { Redis } from 'ioredis';

import { redisUrl, type Consumer, type Contender, type Handle } from './contender.ts';
import { envelopeOf, type GradedItem } from './graded-item.ts';

const group = 'bench';
const streamOf = (prefix: string): string => `${prefix}item`;
const open = (): Redis => new Redis(redisUrl(), { enableAutoPipelining: true });
const textOf = (index: number): string => JSON.stringify(envelopeOf(index));

/**
 * The limit: what one writes by hand when nothing may go wrong. Auto-pipelining, JSON, reads of 200,
 * handlers in parallel, one XACK for each read that goes together with the next one.
 */
export const rawLoop: Contender = {
  async openProducer(prefix) {
    const redis = open();
    const stream = streamOf(prefix);
    await redis.ping();
    return {
      publish: (index) => redis.xadd(stream, '*', 'event', textOf(index)),
      async publishBatch(indexes) {
        const pipeline = redis.pipeline();
        for (const index of indexes) pipeline.xadd(stream, '*', 'event', textOf(index));
        for (const [error] of (await pipeline.exec())!) if (error) throw error;
      },
      close: async () => void (await redis.quit()),
    };
  },

  async openConsumer(prefix, handle) {
    const redis = open();
    await redis.xgroup('CREATE', streamOf(prefix), group, '0', 'MKSTREAM');
    return new RawConsumer(redis, streamOf(prefix), handle);
  },
};

type Reply = [stream: string, entries: [id: string, fields: string[]][]][] | null;

class RawConsumer implements Consumer {
  readonly #redis: Redis;
  readonly #stream: string;
  readonly #handle: Handle;
  #closed = false;
  #running: Promise<void> | undefined;

  constructor(redis: Redis, stream: string, handle: Handle) {
    this.#redis = redis;
    this.#stream = stream;
    this.#handle = handle;
  }

  async start(): Promise<void> {
    this.#running = this.#readOn();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#redis.disconnect();
    await this.#running;
  }

  async #readOn(): Promise<void> {
    const read = ['COUNT', 200, 'BLOCK', 2_000, 'STREAMS', this.#stream, '>'] as const;
    try {
      while (!this.#closed) {
        const found = (await this.#redis.xreadgroup('GROUP', group, 'one', ...read)) as Reply;
        const entries = found?.[0]?.[1] ?? [];
        await Promise.all(entries.map(([, fields]) => this.#run(fields[1]!)));
        if (entries.length > 0) this.#acknowledge(entries.map(([id]) => id));
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }

  /** Not waited for: it goes in one pipeline with the next read. */
  #acknowledge(ids: string[]): void {
    this.#redis.xack(this.#stream, group, ...ids).catch((error: unknown) => {
      if (!this.#closed) throw error;
    });
  }

  async #run(text: string): Promise<void> {
    const { data } = JSON.parse(text) as { data: GradedItem };
    this.#handle(data);
  }
}
