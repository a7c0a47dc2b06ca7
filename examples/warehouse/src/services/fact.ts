import type { CreateEventOptions, EventDataMap, EventType } from '@quickwms/events';

/** Whom and what an event is about. */
export interface About {
  /** The entity itself; its events are handled in order. */
  readonly subject: string;
  /** The unit, where there is one: so the event shows up in its life. */
  readonly qlid?: string | undefined;
  /** Who did it. */
  readonly by: string;
}

/** Writes down what happened as an event of this warehouse, with all the data that the catalogue asks for. */
export function fact<Type extends EventType>(
  type: Type,
  { subject, qlid, by }: About,
  data: EventDataMap[Type],
): CreateEventOptions {
  return { type, subject, qlid, userId: by, warehouseId: 'WH-1', data };
}

/** Says that an event is about a unit. */
export function about(unit: { itemId: string; qlid: string }, by: string): About {
  return { subject: unit.itemId, qlid: unit.qlid, by };
}

/** Cents as the catalogue wants money: major units with at most two decimals. */
export function toMoney(cents: number): number {
  return Math.round(cents) / 100;
}

/** Money of an event in cents. */
export function toCents(money: number): number {
  return Math.round(money * 100);
}
