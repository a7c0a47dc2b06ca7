import type { ConsumerGroup } from '../src/consume/consumer-group.ts';
import type { DeadLetter } from '../src/consume/dead-letter.ts';
import type { Handler } from '../src/consume/handler.ts';
import { EngineBench } from './engine-bench.ts';
import { settle, until } from './until.ts';

/** Workers that fail until the cause is repaired, and the dead letters that they leave. */
export class RedriveBench extends EngineBench {
  repaired: boolean = false;
  /** Group, handler and event of each call since the repair. */
  calls: string[] = [];

  /** A running worker with the handlers `grade` and `price`; repaired, they do what `handler` does. */
  async worker(group: string = 'graders', handler?: Handler): Promise<ConsumerGroup> {
    const made = this.group({ group, concurrency: 2, outageAfterKeys: Number.POSITIVE_INFINITY });
    for (const name of ['grade', 'price']) {
      const failing: Handler = (event, context) => {
        this.calls.push(`${group} ${name} ${event.id}`);
        if (!this.repaired) throw new Error('scale 7 is broken');
        return handler?.(event, context);
      };
      made.on(['item.*'], failing, { name, retry: { maxRetries: 0 } });
    }
    await made.start();
    return made;
  }

  /** Lets events fail, then repairs the cause. @returns The dead letters, those of `grade` first. */
  async failed(...ids: string[]): Promise<DeadLetter[]> {
    this.publish(...ids.map((id) => ({ id, subject: id.slice(0, 1) })));
    const list = (): Promise<DeadLetter[]> => this.deadLetters.list({ limit: 1_000 });
    await until(async () => (await list()).length >= ids.length * 2, 'all have failed');
    await this.settled();
    this.repaired = true;
    this.calls = [];
    return (await list()).toSorted((a, b) => (a.handler < b.handler ? -1 : 1));
  }

  async statusOf({ id }: DeadLetter): Promise<string> {
    return (await this.deadLetters.get(id))!.status;
  }

  /** Asks for redrives, as an operator does, and lets the next poll find them. */
  async redrive(...letters: Pick<DeadLetter, 'id'>[]): Promise<void> {
    for (const { id } of letters) await this.deadLetters.redrive(id);
    await settle();
    await this.clock.advance(1_000);
  }
}
