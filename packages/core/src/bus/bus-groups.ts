import type { ConsumerChoices } from '../consume/consumer-group-options.ts';
import type { ConsumerGroup } from '../consume/consumer-group.ts';
import { PendingWork } from '../pending-work.ts';

/** @param predecessor Ends with the stop of the group that had the name before. */
type MakeGroup = (
  group: string | null,
  choices: ConsumerChoices,
  predecessor?: Promise<unknown>,
) => ConsumerGroup;

/** The consumer groups of one bus: one of a name at a time, and any number of broadcasts. */
export class BusGroups {
  readonly #make: MakeGroup;
  readonly #named = new Map<string, ConsumerGroup>();
  /** Stops of groups that another one has taken the place of. */
  readonly #leaving = new PendingWork();
  #broadcasts: readonly ConsumerGroup[] = [];

  constructor(make: MakeGroup) {
    this.#make = make;
  }

  get all(): ConsumerGroup[] {
    return [...this.#named.values(), ...this.#broadcasts];
  }

  /**
   * The group of a name; another one where that has been stopped, or has ended, which begins when it is gone.
   *
   * @param choices Those that were made: an option that is `undefined` is none.
   * @throws {TypeError} If the group was made with other choices before.
   */
  named(group: string, choices: ConsumerChoices): ConsumerGroup {
    const known = this.#named.get(group);
    if (known && !known.isOver) {
      if (Object.keys(choices).length === 0) return known;
      throw new TypeError(
        `group ${group} is set up already on this bus; give its options to the first subscriber`,
      );
    }
    const made = this.#make(group, choices, known && this.#leave(known));
    this.#named.set(group, made);
    return made;
  }

  /** A broadcast of its own. Those that are over are forgotten. */
  broadcast(choices: ConsumerChoices): ConsumerGroup {
    const made = this.#make(null, choices);
    const [over, going] = [true, false].map((isOver) =>
      this.#broadcasts.filter((each) => each.isOver === isOver),
    );
    for (const each of over!) void this.#leave(each);
    this.#broadcasts = [...going!, made];
    return made;
  }

  /** Stops every group within the deadline. @throws Why one of them could not be stopped, when all have ended. */
  async stop(options: { deadlineMs?: number }): Promise<void> {
    const stops = await Promise.allSettled(this.all.map((group) => group.stop(options)));
    await this.#leaving.ended();
    const failed = stops.find((stop) => stop.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** One that has ended by itself still has handlers to wait for, and redrives to give up. */
  #leave(group: ConsumerGroup): Promise<unknown> {
    const stopped = group.stop().catch(() => undefined);
    this.#leaving.add(stopped);
    return stopped;
  }
}
