import { setTimeout as sleep } from 'node:timers/promises';

import type { Redis } from 'ioredis';

import type { Span } from './commands.ts';
import type { TallyResult } from './tally.ts';
import { WorkerProcess } from './worker-process.ts';

/** How a run publishes. */
export type Publishing =
  | { readonly count: number; readonly inFlight: number }
  | { readonly count: number; readonly batchSize: number };

/** What one run has shown. */
export interface Run {
  readonly perSecond?: number;
  /** Of all processes, Redis included, for 100,000 events. */
  readonly cpuSeconds?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Why nothing of this counts: events that were lost, or handled more than once. */
  readonly fault?: string;
}

/** Time that consumers get to begin to wait for events, in milliseconds. */
const settleMs = 100;

/** One contender: a process that publishes and one that consumes, and the runs that they make together. */
export class ContenderRun {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #producer: WorkerProcess;
  readonly #consumer: WorkerProcess;
  #runs = 0;

  /** @param prefix What all keys begin with that the runs make. */
  constructor(contender: string, redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#producer = new WorkerProcess(contender);
    this.#consumer = new WorkerProcess(contender);
  }

  /** Publishes, and nobody consumes. */
  publish(publishing: Publishing): Promise<Run> {
    return this.#run(async (prefix) => {
      await this.#producer.call('openProducer', prefix);
      const span = await this.#publish(publishing);
      await this.#producer.call('closeProducer');
      return { perSecond: perSecond(publishing.count, span) };
    });
  }

  /** Consumes a backlog, timed from the start of the consumer on. */
  drain(publishing: Publishing): Promise<Run> {
    return this.#run(async (prefix) => {
      await this.#producer.call('openProducer', prefix);
      await this.#publish(publishing);
      await this.#producer.call('closeProducer');
      const { count } = publishing;
      await this.#consumer.call('openConsumer', prefix, count, false);
      await this.#consumer.call('startConsumer');
      const span = await this.#consumer.call('consumed');
      return { perSecond: perSecond(count, span), ...(await this.#closeConsumer()) };
    });
  }

  /** Publishes to a consumer that waits already, until it has handled everything. */
  endToEnd(publishing: Publishing): Promise<Run> {
    return this.#run(async (prefix) => {
      const { count } = publishing;
      await this.#openBoth(prefix, count, false);
      const redisBefore = await this.#redisCpuSeconds();
      await this.#consumer.call('markConsumer');
      const [published, consumed] = await Promise.all([
        this.#publish(publishing),
        this.#consumer.call('consumed'),
      ]);
      const redis = (await this.#redisCpuSeconds()) - redisBefore;
      const cpu = published.cpuSeconds + consumed.cpuSeconds + redis;
      return {
        perSecond: perSecond(count, { fromMs: published.fromMs, untilMs: consumed.untilMs }),
        cpuSeconds: (cpu / count) * 100_000,
        ...(await this.#closeBoth()),
      };
    });
  }

  /** Publishes at a pace that all can keep, and tells how long each event took to its handler. */
  keepPace(count: number, eachSecond: number): Promise<Run> {
    return this.#run(async (prefix) => {
      await this.#openBoth(prefix, count, true);
      const [publishedAt, { handledAt }] = await Promise.all([
        this.#producer.call('publishPaced', count, eachSecond),
        this.#consumer.call('consumed'),
      ]);
      const took = handledAt.map((at, index) => at - publishedAt[index]!).toSorted((a, b) => a - b);
      const quantile = (share: number): number => took[Math.floor(took.length * share)]!;
      return { p50Ms: quantile(0.5), p99Ms: quantile(0.99), ...(await this.#closeBoth()) };
    });
  }

  async end(): Promise<void> {
    await Promise.all([this.#producer.end(), this.#consumer.end()]);
    await this.#removeKeys();
  }

  /** Each run has keys of its own, which go when it has ended. */
  async #run(work: (prefix: string) => Promise<Run>): Promise<Run> {
    this.#runs += 1;
    const run = await work(`${this.#prefix}${this.#runs}:`);
    await this.#removeKeys();
    return run;
  }

  #publish(publishing: Publishing): Promise<Span> {
    return 'inFlight' in publishing
      ? this.#producer.call('publishEach', publishing.count, publishing.inFlight)
      : this.#producer.call('publishBatches', publishing.count, publishing.batchSize);
  }

  async #openBoth(prefix: string, count: number, withTimes: boolean): Promise<void> {
    await this.#producer.call('openProducer', prefix);
    await this.#consumer.call('openConsumer', prefix, count, withTimes);
    await this.#consumer.call('startConsumer');
    await sleep(settleMs);
  }

  async #closeBoth(): Promise<Pick<Run, 'fault'>> {
    await this.#producer.call('closeProducer');
    return await this.#closeConsumer();
  }

  async #closeConsumer(): Promise<Pick<Run, 'fault'>> {
    return faultOf(await this.#consumer.call('closeConsumer'));
  }

  async #redisCpuSeconds(): Promise<number> {
    const info = await this.#redis.info('cpu');
    const [, system] = /used_cpu_sys:([\d.]+)/.exec(info)!;
    const [, user] = /used_cpu_user:([\d.]+)/.exec(info)!;
    return Number(system) + Number(user);
  }

  async #removeKeys(): Promise<void> {
    const keys = this.#redis.scanStream({ match: `${this.#prefix}*`, count: 1_000 });
    for await (const some of keys as AsyncIterable<string[]>) {
      if (some.length > 0) await this.#redis.unlink(...some);
    }
  }
}

function perSecond(count: number, { fromMs, untilMs }: Pick<Span, 'fromMs' | 'untilMs'>): number {
  return count / ((untilMs - fromMs) / 1_000);
}

function faultOf({ missing, repeated }: TallyResult): Pick<Run, 'fault'> {
  if (missing === 0 && repeated === 0) return {};
  return { fault: `${missing} events missing, ${repeated} handled once more` };
}
