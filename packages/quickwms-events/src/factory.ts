import { randomIds, systemClock, type EventDraft, type Ids, type Clock } from '@waybill/core';
import { assertKnownOptions } from '@waybill/core/adapter';

import type { EventDataMap, EventType } from './domains/index.ts';
import { quickwmsEvents } from './profile.ts';
import type { EventEnvelope } from './types/index.ts';

/** What a service says of an event; everything else is filled in. */
export interface CreateEventOptions<T = unknown> extends EventDraft<T> {
  /** QuickLotz global id of the item: nine digits. */
  qlid?: string;
  warehouseId?: string;
}

/**
 * For a type of the catalogue, holds the keys that are present to their types. Which keys must be
 * there is a matter for the publisher: a warning, or an error with `strict`.
 */
export type KnownEvent<Type extends string> = {
  type: Type;
} & (Type extends EventType ? { data: Partial<EventDataMap[Type]> } : unknown);

/**
 * Makes an envelope without publishing it.
 *
 * @param source Name of the publishing service.
 */
export function createEvent<T, const Type extends string = string>(
  source: string,
  options: CreateEventOptions<T> & KnownEvent<Type>,
  made: { ids?: Ids; clock?: Clock } = {},
): EventEnvelope<T> {
  assertKnownOptions('createEvent', made, { ids: true, clock: true });
  const { ids = randomIds, clock = systemClock } = made;
  const id = options.id ?? ids();
  return {
    source,
    specversion: '1.0',
    datacontenttype: 'application/json',
    time: new Date(clock.now()).toISOString(),
    version: quickwmsEvents.get(options.type)?.version ?? 1,
    correlationId: id,
    ...options,
    id,
  };
}

/** Makes an envelope that follows from another one: same correlation, caused by it, for the same user unless said. */
export function createCorrelatedEvent<T, const Type extends string = string>(
  source: string,
  options: CreateEventOptions<T> & KnownEvent<Type>,
  parent: EventEnvelope,
): EventEnvelope<T> {
  return createEvent<T, string>(source, followingFrom(parent, options));
}

/** What is said of an event that follows from another one. */
export function followingFrom<Options extends { userId?: string }>(
  parent: EventEnvelope,
  options: Options,
): Options & ReturnType<typeof correlationOf> {
  const userId = options.userId ?? parent.userId;
  return { ...options, ...(userId === undefined ? {} : { userId }), ...correlationOf(parent) };
}

/** The attributes that link an event to the one it follows from. */
export function correlationOf(parent: EventEnvelope): {
  correlationId: string;
  causationId: string;
} {
  return { correlationId: parent.correlationId ?? parent.id, causationId: parent.id };
}
