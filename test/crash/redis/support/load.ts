import { setTimeout as sleep } from 'node:timers/promises';

import { isEventError } from '@waybill/core';
import type { EventDraft, Publisher } from '@waybill/core';

import type { ItemReceived } from '../../support/test-events.ts';
import type { StreamRig } from './stream-rig.ts';

/** The event of a key with that number in it, always the same. */
export function draftIn(
  key: string,
  keySequence: number,
): EventDraft<ItemReceived> & { id: string } {
  return {
    id: `${key}-${keySequence}`,
    type: 'item.received',
    subject: key,
    data: { keySequence },
  };
}

/** Publishes with the same id until it is told that the event is safe. @returns How often it was refused. */
export async function publishStubbornly(
  publisher: Publisher,
  draft: EventDraft<ItemReceived>,
): Promise<number> {
  for (let refusals = 0; ; refusals += 1) {
    try {
      await publisher.publish(draft);
      return refusals;
    } catch (error) {
      if (!isEventError(error) || !error.retryable) throw error;
      await sleep(10);
    }
  }
}

/** Publishers that go on all the time, each with a key of its own, one event after the other. */
export class Load {
  refusals = 0;
  #stopping = false;
  readonly #done: Promise<unknown>;

  /** @param pauseMs Between two events of a key. */
  constructor(
    rig: StreamRig,
    publisher: Publisher,
    { keys, pauseMs }: { keys: number; pauseMs: number },
  ) {
    const names = Array.from({ length: keys }, (_, index) => `item-${index}`);
    this.#done = Promise.all(names.map((key) => this.#publish(rig, publisher, key, pauseMs)));
    this.#done.catch(() => {}); // `stop` tells it
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  async #publish(
    rig: StreamRig,
    publisher: Publisher,
    key: string,
    pauseMs: number,
  ): Promise<void> {
    for (let keySequence = 1; !this.#stopping; keySequence += 1) {
      const draft = draftIn(key, keySequence);
      this.refusals += await publishStubbornly(publisher, draft);
      rig.entries.push({ kind: 'published', eventId: draft.id, key, keySequence });
      await sleep(pauseMs);
    }
  }
}
