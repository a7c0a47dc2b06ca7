import fc from 'fast-check';

import type { EventEnvelope, Profile } from '../src/event/envelope.ts';

/** Text that JSON, UTF-8 and PostgreSQL can all keep. */
const keepableText: fc.Arbitrary<string> = fc
  .string({ unit: 'binary', maxLength: 12 })
  .filter((text) => !text.includes('\0') && text.isWellFormed());

const keepableNumber = fc
  .oneof(fc.integer(), fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((value) => value + 0)
  .filter((value) => !Object.is(value, -0));

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(keepableText, keepableNumber, fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(
      keepableText.filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
}));

/** Data that an event can carry. */
export const keepableData: fc.Arbitrary<unknown> = value;

/** A profile with an attribute of each type. */
export const testProfile: Profile = {
  name: 'test',
  attributes: [
    {
      name: 'shelfId',
      wire: 'shelfid',
      column: 'shelf_id',
      validate: (id) => (typeof id === 'string' ? undefined : 'must be text'),
    },
    {
      name: 'floor',
      wire: 'floor',
      column: 'floor',
      type: 'integer',
      validate: (floor) => (floor !== 13 ? undefined : 'must be a floor that there is'),
    },
    {
      name: 'fragile',
      wire: 'fragile',
      column: 'fragile',
      type: 'boolean',
      validate: () => undefined,
    },
  ],
};

const attributeText = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text));

const segment = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/);

export const eventType: fc.Arbitrary<string> = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((segments) => segments.join('.'));

export const eventSource: fc.Arbitrary<string> = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
  fc.webUrl({ withQueryParameters: true, withFragments: true }).filter((url) => url.length <= 255),
  fc.stringMatching(/^\/[a-z0-9]{1,8}\/[a-z0-9~._-]{0,8}$/),
  fc.constantFrom('urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66', 'mailto:cncf-wg@lists.cncf.io'),
);

const timestamp = fc
  .tuple(
    fc.date({
      min: new Date('0001-01-02T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
      noInvalidDate: true,
    }),
    fc.constantFrom('Z', '+00:00', '-07:00', '+05:45'),
  )
  .map(([date, zone]) => date.toISOString().replace('Z', zone));

/** Names that are no attribute, and that the SDK does not keep from CloudEvents 0.3 either. */
const taken = new Set(
  (
    'id source specversion type datacontenttype time subject dataschema data correlationid causationid ' +
    'userid version traceparent tracestate retrycount originaltimestamp environment shelfid floor fragile ' +
    'schemaurl datacontentencoding'
  ).split(' '),
);

export const extensions: fc.Arbitrary<Record<string, string | number | boolean>> = fc.dictionary(
  fc.stringMatching(/^[a-z0-9]{1,20}$/).filter((name) => !taken.has(name)),
  fc.oneof(attributeText, fc.integer(), fc.boolean()),
  { minKeys: 1, maxKeys: 4, noNullPrototype: true },
);

/** Any event that the engine accepts, with the attributes of `testProfile`. */
export const validEnvelope: fc.Arbitrary<EventEnvelope> = fc.record(
  {
    id: attributeText,
    source: eventSource,
    specversion: fc.constant('1.0' as const),
    type: eventType,
    datacontenttype: fc.constantFrom('application/json', 'application/vnd.items+json'),
    time: timestamp,
    version: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    data: keepableData,
    subject: attributeText,
    dataschema: fc.webUrl(),
    correlationId: attributeText,
    causationId: attributeText,
    userId: attributeText,
    traceparent: fc.constant('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
    tracestate: fc.constant('rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'),
    shelfId: attributeText,
    floor: fc.integer().filter((floor) => floor !== 13),
    fragile: fc.boolean(),
    metadata: fc.record(
      {
        retryCount: fc.nat(),
        originalTimestamp: timestamp,
        environment: fc.constantFrom('development', 'staging', 'production'),
      },
      { requiredKeys: ['retryCount', 'environment'], noNullPrototype: true },
    ),
    extensions,
  },
  {
    requiredKeys: [
      'id',
      'source',
      'specversion',
      'type',
      'datacontenttype',
      'time',
      'version',
      'data',
    ],
    noNullPrototype: true,
  },
) as fc.Arbitrary<EventEnvelope>;
