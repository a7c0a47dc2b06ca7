import type { EventDraft } from '@waybill/core';

/** What every event of these tests carries. */
export interface ItemReceived {
  /** Number of the event among those of its key. */
  readonly keySequence: number;
}

const keys = ['item-a', 'item-b'];

/** Event number `number`, from 1 on, always the same; two keys take turns. */
export function draftOf(
  number: number,
): EventDraft<ItemReceived> & { id: string; subject: string } {
  const index = number - 1;
  return {
    id: `e${number}`,
    type: 'item.received',
    subject: keys[index % keys.length]!,
    data: { keySequence: Math.floor(index / keys.length) + 1 },
  };
}

/** Ids of the events 1 to `count`. */
export function idsUpTo(count: number): string[] {
  return Array.from({ length: count }, (_, index) => draftOf(index + 1).id);
}
