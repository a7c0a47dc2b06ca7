import type { EventStore } from '../../publish/event-store.ts';
import type { StoreConformanceOptions } from '../store/store-bench.ts';

export interface EventStoreConformanceOptions extends StoreConformanceOptions<EventStore> {
  /** An attribute that the store's profile declares, with two values that it may have. */
  readonly attribute?: { readonly name: string; readonly value: string; readonly other: string };
  /** Names of two attributes that the store's profile declares with these types. */
  readonly typedAttributes?: { readonly integer: string; readonly boolean: string };
}
