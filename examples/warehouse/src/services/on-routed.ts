import { ProcessingEvents, type EventSubscriber, type SqlTransaction } from '@quickwms/events';
import type { Route } from '../decisions/decide-route.ts';
import { routedUnit, type RoutedUnit } from './facts.ts';

/**
 * Takes over the units that go one way, whether an inspection has sent them there or a repair that did
 * not work out; a unit gets there once.
 */
export function onRouted(
  subscriber: EventSubscriber<true>,
  route: Route,
  take: (unit: RoutedUnit, tx: SqlTransaction) => Promise<void>,
): void {
  for (const type of [ProcessingEvents.ITEM_GRADED, ProcessingEvents.REFURB_JOB_COMPLETED]) {
    subscriber.on(
      type,
      async ({ data: unit }, { tx }) => {
        if (unit.route === route) await take(unit, tx);
      },
      { schema: routedUnit },
    );
  }
}
