import { setTimeout as sleep } from 'node:timers/promises';

import { sideBySide } from '../measure.ts';
import type { Consumer, Contender, Producer } from './contender.ts';
import { indexOf } from './graded-item.ts';
import { nowMs, Tally, type TallyResult } from './tally.ts';

/** A stretch of work of one process. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
  /** Of all threads of the process, garbage collection included. */
  readonly cpuSeconds: number;
}

/** Longest time without an event after which a consumer is taken to have got all that it will get. */
const patienceMs = 10_000;

/** What a process of a contender does when it is told to: it publishes, or it consumes. */
export class Commands {
  readonly #contender: Contender;
  #producer: Producer | undefined;
  #consumer: Consumer | undefined;
  #tally = new Tally(0, { withTimes: false });
  #mark = spanStart();

  constructor(contender: Contender) {
    this.#contender = contender;
  }

  async openProducer(prefix: string): Promise<void> {
    this.#producer = await this.#contender.openProducer(prefix);
    collectGarbage();
  }

  /** Publishes one by one, so many under way at once. */
  async publishEach(count: number, inFlight: number): Promise<Span> {
    const start = spanStart();
    let next = 0;
    await sideBySide(inFlight, count, () => this.#producer!.publish(next++));
    return spanSince(start);
  }

  /** Publishes batch after batch, each when the one before is accepted. */
  async publishBatches(count: number, size: number): Promise<Span> {
    const start = spanStart();
    for (let from = 0; from < count; from += size) {
      const length = Math.min(size, count - from);
      await this.#producer!.publishBatch(Array.from({ length }, (_, offset) => from + offset));
    }
    return spanSince(start);
  }

  /** Publishes at a pace, whatever the answers take. @returns When each was published. */
  async publishPaced(count: number, perSecond: number): Promise<number[]> {
    const startMs = nowMs();
    const publishedAt: number[] = [];
    const accepted: Promise<unknown>[] = [];
    while (publishedAt.length < count) {
      const due = Math.min(count, ((nowMs() - startMs) * perSecond) / 1_000);
      while (publishedAt.length < due) {
        const index = publishedAt.length;
        publishedAt.push(nowMs());
        accepted.push(this.#producer!.publish(index));
      }
      await sleep(1);
    }
    await Promise.all(accepted);
    return publishedAt;
  }

  async closeProducer(): Promise<void> {
    await this.#producer!.close();
  }

  async openConsumer(prefix: string, expected: number, withTimes: boolean): Promise<void> {
    const tally = (this.#tally = new Tally(expected, { withTimes }));
    this.#consumer = await this.#contender.openConsumer(prefix, (data) => {
      tally.count(indexOf(data));
    });
    collectGarbage();
  }

  /** Begins to consume. */
  async startConsumer(): Promise<void> {
    this.#mark = spanStart();
    await this.#consumer!.start();
  }

  /** Lets a span begin now. */
  async markConsumer(): Promise<void> {
    this.#mark = spanStart();
  }

  /** @returns The span from the start or the mark until all events were handled, and when each was, if asked for. */
  async consumed(): Promise<Span & { handledAt: number[] }> {
    await this.#tally.complete(patienceMs);
    return { ...spanSince(this.#mark), handledAt: [...this.#tally.handledAt] };
  }

  /** @returns What came until the very end. */
  async closeConsumer(): Promise<TallyResult> {
    await this.#consumer!.close();
    return this.#tally.result;
  }
}

function spanStart(): { fromMs: number; cpu: NodeJS.CpuUsage } {
  return { fromMs: nowMs(), cpu: process.cpuUsage() };
}

function spanSince({ fromMs, cpu }: ReturnType<typeof spanStart>): Span {
  const untilMs = nowMs();
  const { user, system } = process.cpuUsage(cpu);
  return { fromMs, untilMs, cpuSeconds: (user + system) / 1e6 };
}

/** So that nobody pays for what the last run has left. */
function collectGarbage(): void {
  globalThis.gc?.();
}
