import { engineAttributes } from '../../event/attribute-names.ts';
import type { EventEnvelope } from '../../event/envelope.ts';
import { EventError, isEventError } from '../../errors.ts';
import type { EventStore } from '../../publish/event-store.ts';
import type { EventStoreConformanceOptions } from '../event-store/event-store-options.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import { forgetsRollback, storeFault } from './store-fault.ts';
import { everyNth } from './transport-fault.ts';

const fault = storeFault<EventStore>;
const whole = 'gives a whole envelope back, with what it does not know itself';
const typed = 'keeps integers and booleans of the profile as what they are';
const bySubject = 'finds by subject, oldest first unless asked otherwise';

const appendingFaults = [
  fault(
    'takes a known event for a new one',
    'answers the old position when the very same event comes again',
    (inner) => {
      const seen = new Set<string>();
      return {
        append: (event, options) => {
          const id = seen.has(event.id) ? `${event.id}-again` : event.id;
          seen.add(id);
          return inner.append({ ...event, id }, options);
        },
      };
    },
  ),
  fault(
    'lets another body pass under a known id',
    'refuses another body under a known id, and keeps the first',
    (inner) => ({
      append: (event, options) =>
        inner.append(event, options).catch((error: unknown) => {
          if (isEventError(error, 'EVENT_ID_CONFLICT')) return 1n;
          throw error;
        }),
    }),
  ),
  fault(
    'knows events by their id alone',
    'takes one id from two sources as two events',
    (inner) => {
      const positions = new Map<string, bigint>();
      return {
        append: async (event, options) => {
          const position = positions.get(event.id) ?? (await inner.append(event, options));
          positions.set(event.id, position);
          return position;
        },
      };
    },
  ),
  fault('loses extensions', whole, (inner) => ({
    append: (event, options) => inner.append({ ...event, extensions: undefined }, options),
  })),
  fault('reads integers of the profile as text', typed, (inner) => ({
    getById: async (id, source) => changedAttributes(await inner.getById(id, source), String),
  })),
  fault('takes 0 and false for nothing', typed, (inner) => ({
    getById: async (id, source) =>
      changedAttributes(await inner.getById(id, source), (value) => value || undefined),
  })),
  fault('moves times to UTC', whole, (inner) => ({
    append: (event, options) =>
      inner.append({ ...event, time: new Date(event.time).toISOString() }, options),
  })),
  fault(
    'hands out its own objects',
    'keeps what was appended, whatever becomes of the objects',
    (inner) => {
      const own = new Map<string, EventEnvelope | null>();
      return {
        getById: async (id, source) => {
          const event = own.get(id) ?? (await inner.getById(id, source));
          own.set(id, event);
          return event;
        },
      };
    },
  ),
  fault('appends a batch one by one', 'appends all or none', (inner) => ({
    appendBatch: async (events, options) => {
      const positions: bigint[] = [];
      for (const event of events) positions.push(await inner.append(event, options));
      return positions;
    },
  })),
];

const versionFaults = [
  fault(
    'does not look at the expected position',
    'refuses a subject that has moved on, and stores nothing',
    (inner) => ({ append: (event, options) => inner.append(event, { tx: options?.tx }) }),
  ),
  fault(
    'looks at the expected position before it writes, not while',
    'lets one of many concurrent appenders with one expectation through',
    (inner) => {
      const last = new Map<string | undefined, bigint>();
      return {
        append: async (event, { expectedPosition, ...options } = {}) => {
          const actual = last.get(event.subject) ?? null;
          if (expectedPosition !== undefined && expectedPosition !== actual) throw moved(event);
          const position = await inner.append(event, options);
          last.set(event.subject, position);
          return position;
        },
      };
    },
  ),
  fault(
    'looks at the expected position before it looks for the event',
    'answers the old position when the very same call comes again',
    (inner) => {
      const seen = new Set<string>();
      return {
        append: async (event, options) => {
          if (seen.has(event.id) && options?.expectedPosition !== undefined) throw moved(event);
          seen.add(event.id);
          return inner.append(event, options);
        },
      };
    },
  ),
];

const queryFaults = [
  fault('always reads the oldest first', bySubject, (inner) => ({
    getBySubject: (subject, options) => inner.getBySubject(subject, { ...options, order: 'asc' }),
  })),
  fault('reads more than the limit', bySubject, (inner) => ({
    getBySubject: (subject, options) =>
      inner.getBySubject(subject, { ...options, limit: undefined }),
  })),
  fault('begins every page at the beginning', 'pages by position, in either order', (inner) => ({
    getBySubject: (subject, options) =>
      inner.getBySubject(subject, { ...options, afterPosition: undefined }),
  })),
  fault('forgets the type of a query', 'narrows every query to a type', (inner) => ({
    getByCorrelationId: (id, options) =>
      inner.getByCorrelationId(id, { ...options, eventType: undefined }),
  })),
  fault(
    'includes the end of a time range',
    'takes a time range from its start up to, not including, its end',
    (inner) => ({
      getByTimeRange: (options) =>
        inner.getByTimeRange({
          ...options,
          ...(options.endTime && { endTime: new Date(options.endTime.getTime() + 1) }),
        }),
    }),
  ),
  fault(
    'takes a value of any type for that of an attribute',
    'finds by integers and booleans, and refuses what is none',
    (inner) => ({
      getByAttribute: (name, value, options) =>
        inner.getByAttribute(name, value, options).catch((error: unknown) => {
          if (name === 'no_such_attribute') throw error;
          return [];
        }),
    }),
  ),
  fault(
    'finds nothing by an attribute that there is not',
    'finds by an attribute of the profile, and refuses one that there is not',
    (inner) => ({
      getByAttribute: (...query) => inner.getByAttribute(...query).catch(() => []),
    }),
  ),
];

const cursorFaults = [
  fault('skips one event in fifty', 'skips nothing and keeps order while many append', (inner) => {
    const unlucky = everyNth(50);
    return {
      readFrom: async (cursor, options) => {
        const page = await inner.readFrom(cursor, options);
        return { ...page, events: page.events.filter(() => !unlucky()) };
      },
    };
  }),
  fault('reverses a page', 'reads everything from the beginning, page by page', (inner) => ({
    readFrom: async (cursor, options) => {
      const page = await inner.readFrom(cursor, options);
      return { ...page, events: page.events.toReversed() };
    },
  })),
  fault(
    'begins again when nothing is new',
    'answers the same cursor when nothing is new, and goes on from it later',
    (inner) => ({
      readFrom: async (cursor, options) => {
        const page = await inner.readFrom(cursor, options);
        return page.events.length > 0 ? page : inner.readFrom(null, options);
      },
    }),
  ),
  fault(
    'begins anew with a cursor that it does not know',
    'refuses a cursor of another store, and what is no cursor',
    (inner) => ({
      readFrom: (cursor, options) =>
        inner.readFrom(cursor, options).catch(() => inner.readFrom(null, options)),
    }),
  ),
];

/** Ways in which an event store can be wrong, each with the case of `describeEventStore` that notices it. */
export const plantedEventStoreFaults: readonly PlantedFault<EventStoreConformanceOptions>[] = [
  ...appendingFaults,
  ...versionFaults,
  ...queryFaults,
  ...cursorFaults,
  forgetsRollback<EventStore>(
    'keeps nothing of an event when the transaction is rolled back, and can do it again',
  ),
];

/** An event with other values of its profile's attributes: those that no envelope has. */
function changedAttributes(
  event: EventEnvelope | null,
  change: (value: unknown) => unknown,
): EventEnvelope | null {
  if (!event) return null;
  const entries = Object.entries(event).map(([name, value]) => [
    name,
    engineAttributes.has(name) ? value : change(value),
  ]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as EventEnvelope;
}

function moved({ subject = '' }: EventEnvelope): EventError {
  const details = { subject, expected: '', actual: '' };
  return new EventError('VERSION_CONFLICT', `${subject} has moved on`, details);
}
