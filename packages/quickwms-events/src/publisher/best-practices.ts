import type { PublisherOptions } from '@waybill/core';

import { getEventDomain } from '../domains/index.ts';
import { quickwmsEvents } from '../profile.ts';
import type { EventEnvelope } from '../types/index.ts';

/** Past participles that do not end in "ed". */
const irregular = new Set([
  'begun',
  'bought',
  'built',
  'done',
  'found',
  'gone',
  'held',
  'kept',
  'left',
  'lost',
  'made',
  'met',
  'paid',
  'put',
  'run',
  'sent',
  'set',
  'shut',
  'sold',
  'spent',
  'split',
  'taken',
  'won',
  'written',
]);

/**
 * Names what is legal but not wise, once per type: a type that is not in the past tense, an item
 * event without its qlid, and an event without the user who triggered it.
 */
export const adviseBestPractices: NonNullable<PublisherOptions['advise']> = (event, warn) => {
  const { qlid, userId } = event as EventEnvelope;
  if (!isPastTense(event.type)) {
    warn(
      'TYPE_NOT_PAST_TENSE',
      `${event.type} should say what happened, in the past tense, such as item.received`,
    );
  }
  if (qlid === undefined && getEventDomain(event.type) === 'item') {
    warn(
      'QLID_MISSING',
      `${event.type} was published without a qlid, so it is missing from the item's lifecycle; set qlid`,
    );
  }
  if (userId === undefined) {
    warn(
      'USER_MISSING',
      `${event.type} was published without a userId, so nobody can tell who triggered it; set userId`,
    );
  }
};

/** Types of the catalogue are as they were agreed; others are judged by their last word. */
export function isPastTense(eventType: string): boolean {
  if (quickwmsEvents.get(eventType)) return true;
  const words = (eventType.split('.').at(-1) ?? '').split(/[_-]/);
  return words.some((word) => word.endsWith('ed') || irregular.has(word));
}
