import type { ConsumerGroup } from '../src/consume/consumer-group.ts';
import type { ConsumerGroupOptions } from '../src/consume/consumer-group-options.ts';
import { EngineBench } from './engine-bench.ts';
import { settle } from './until.ts';

type Said = Partial<ConsumerGroupOptions> & { name?: string };

/** Instances of the group `graders` that leave events for each other. */
export class HandoverBench extends EngineBench {
  /** A started one, whose one handler notes what it handles. */
  async instance(
    patterns: readonly string[],
    { name, ...said }: Said = {},
  ): Promise<{ group: ConsumerGroup; handled: string[] }> {
    const group = this.group(said);
    const handled: string[] = [];
    const options = name === undefined ? {} : { name };
    group.on(patterns, ({ id }) => void handled.push(id), options);
    await group.start();
    return { group, handled };
  }

  /** Registers one for a moment, so that the group owes its handler what comes. */
  async registered(patterns: readonly string[], said: Said = {}): Promise<void> {
    const { group } = await this.instance(patterns, said);
    await this.stop(group);
  }

  /** Publishes events of the type `item.graded`. */
  publishGraded(...events: { id: string; subject?: string; version?: number }[]): void {
    this.publish(...events.map((each) => ({ type: 'item.graded', ...each })));
  }

  /** Lets every instance look once for what others have left. */
  async polled(): Promise<void> {
    await settle();
    await this.clock.advance(1_000);
    await settle();
  }
}
