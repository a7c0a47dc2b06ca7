import type { Message } from '../../event/message.ts';
import { partitionCount, partitionOf } from '../../partition.ts';
import type { DrainPass, Outbox, OutboxStatus } from '../../publish/outbox.ts';
import { accepted, type PublishOutcome } from '../../transport/publish-outcome.ts';
import type { StoreBench } from '../store/store-bench.ts';

/** Where nearly all cases send to. */
export const to = { destination: 'orders' } as const;

/** A pass over the partition of the key that messages have unless they say otherwise. */
export const ofOrder1: DrainPass = { ...to, partition: partitionOf('order-1'), limit: 10 };

export const emptyStatus: OutboxStatus = {
  waiting: 0,
  oldestAgeMs: null,
  destinations: [],
  refused: [],
};

/** A broker that takes everything. */
export async function acceptAll(messages: readonly Message[]): Promise<readonly PublishOutcome[]> {
  return messages.map(({ id }) => accepted(`at-${id}`));
}

/** Keys that lie in one partition with `order-1`. */
export function neighboursOf(count: number): string[] {
  const keys: string[] = [];
  for (let number = 0; keys.length < count; number += 1) {
    const key = `neighbour-${number}`;
    if (partitionOf(key) === ofOrder1.partition) keys.push(key);
  }
  return keys;
}

/** Drains every partition until nothing is left. @returns What was published, partition by partition. */
export async function drainAll(
  b: StoreBench<Outbox>,
  { limit = 100, destination = to.destination }: { limit?: number; destination?: string } = {},
): Promise<Message[]> {
  const published: Message[] = [];
  for (let partition = 0; partition < partitionCount; partition += 1) {
    let outcome;
    do {
      outcome = await b.store.drain({ destination, partition, limit }, async (batch) => {
        published.push(...batch);
        return acceptAll(batch);
      });
    } while (outcome.status === 'drained' && outcome.more);
  }
  return published;
}
