import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

import { concurrency, redisUrl, type Contender } from './contender.ts';
import { envelopeOf, eventType, type GradedItem } from './graded-item.ts';

const queueName = 'graded';
const options = { attempts: 3, removeOnComplete: true };

/** The peer that most people know: a job for each event. */
export const bullmq: Contender = {
  async openProducer(prefix) {
    const connection = open();
    const queue = new Queue(queueName, { connection, prefix });
    await queue.waitUntilReady();
    return {
      publish: (index) => queue.add(eventType, envelopeOf(index), options),
      publishBatch: (indexes) =>
        queue.addBulk(
          indexes.map((index) => ({ name: eventType, data: envelopeOf(index), opts: options })),
        ),
      async close() {
        await queue.close();
        connection.disconnect();
      },
    };
  },

  async openConsumer(prefix, handle) {
    const connection = open();
    const run = async ({ data }: { data: { data: GradedItem } }): Promise<void> =>
      handle(data.data);
    const worker = new Worker(queueName, run, { connection, prefix, concurrency, autorun: false });
    worker.on('error', (error) => console.error(error));
    await worker.waitUntilReady();
    let running: Promise<void> | undefined;
    return {
      async start() {
        running = worker.run();
      },
      async close() {
        await worker.close();
        await running;
        connection.disconnect();
      },
    };
  },
};

/** As its worker demands: a command waits until the connection is there again. */
function open(): Redis {
  return new Redis(redisUrl(), { maxRetriesPerRequest: null });
}
