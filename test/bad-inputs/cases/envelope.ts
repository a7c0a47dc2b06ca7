// Inputs 1 to 14: attributes of the envelope.

import type { EventEnvelope } from '@quickwms/events';
import { expect, it } from 'vitest';

import { waitUntil } from '../../../scripts/wait-until.ts';
import {
  draftWith,
  type AnyDraft,
  type DeadMessage,
  type Doors,
  type RefusedDraft,
} from '../support/doors.ts';
import { messageOf, wireEvent } from '../support/messages.ts';

/** One attribute that is wrong, in a draft and on the wire. */
interface Wrong {
  readonly name: string;
  /** By their names in code. */
  readonly draft: AnyDraft;
  /** By their names on the wire; as in the draft unless given. */
  readonly wire?: Readonly<Record<string, unknown>>;
  /** What the error names. */
  readonly attribute: string;
  readonly says: RegExp;
}

const badTypes = {
  'that has spaces': 'item received',
  'with an empty segment': 'item..received',
  'with a leading dot': '.item.received',
  'of 10,000 characters': 'x'.repeat(10_000),
  'with a line end': 'item.received\nitem.sold',
  'that is a number': 7,
  'that is null': null,
};
const badSources = {
  'with spaces': 'quick intake',
  'with a broken escape': 'urn:%zz',
  'with an open bracket': 'http://[::1',
  'of 300 characters': 'x'.repeat(300),
  'that is empty': '',
};
const badTimes = {
  'without a zone': '2026-01-31T12:00:00',
  'in the year 10000': '10000-01-31T12:00:00Z',
  'on a leap second': '2016-12-31T23:59:60Z',
  'as a number': 1_769_860_800_000,
  'on 30 February': '2026-02-30T12:00:00Z',
};
const badNames = ['trace-id', 'trace_id', 'größe', 'Region', 'x'.repeat(21)];
const badNumbers = [2 ** 31, -(2 ** 31) - 1, 1.5];

const wrong: readonly Wrong[] = [
  { name: '1 refuses an id that is null', draft: { id: null }, attribute: 'id', says: /got n/ },
  { name: '2 refuses an empty id', draft: { id: '' }, attribute: 'id', says: /1 to 255 char/ },
  {
    name: '3 refuses an id of 1 MB, and shows the beginning of it',
    draft: { id: 'x'.repeat(1_000_000) },
    attribute: 'id',
    says: /1 to 255 characters.*, got "x{60}…"/,
  },
  {
    name: '4 refuses an id with a line end',
    draft: { id: 'a\nforged line' },
    attribute: 'id',
    says: /got "a\\nforged line"/,
  },
  ...['0.3', 1].map((specversion) => ({
    name: `7 refuses specversion ${JSON.stringify(specversion)}`,
    draft: { specversion },
    attribute: 'specversion',
    says: /must be "1\.0", got/,
  })),
  ...each(badTypes, '8 refuses a type', 'type', /must be dotted segments of letters/),
  ...each(badSources, '9 refuses a source', 'source', /must be a URI reference/),
  ...each(badTimes, '10 refuses a time', 'time', /RFC 3339 time with a zone/),
  ...badNames.map((name) => ({
    name: `12 refuses an attribute named ${name}`,
    draft: { extensions: { [name]: 'x' } },
    wire: { [name]: 'x' },
    attribute: `extensions.${name}`,
    says: /must be named with 1 to 20 lower-case letters and digits/,
  })),
  ...badNumbers.map((value) => ({
    name: `14 refuses the number ${value} as an attribute`,
    draft: { extensions: { shelf: value } },
    wire: { shelf: value },
    attribute: 'extensions.shelf',
    says: /or a boolean or a 32-bit integer, got/,
  })),
  {
    name: '14 refuses a version of 2^31',
    draft: { version: 2 ** 31 },
    attribute: 'version',
    says: /from 1 to 2147483647, got 2147483648/,
  },
];

function each(
  values: Readonly<Record<string, unknown>>,
  sentence: string,
  attribute: string,
  says: RegExp,
): Wrong[] {
  return Object.entries(values).map(([how, value]) => ({
    name: `${sentence} ${how}`,
    draft: { [attribute]: value },
    attribute,
    says,
  }));
}

function dataOf(events: readonly EventEnvelope[]): unknown[] {
  return events.map(({ data }) => data);
}

function refused({ name, draft, attribute, says }: Wrong): RefusedDraft {
  return { name, draft: () => draft, code: 'ENVELOPE_INVALID', details: { attribute }, says };
}

function dead({ name, draft, wire, says }: Wrong): DeadMessage {
  const body = (): string => JSON.stringify(wireEvent(wire ?? draft));
  return { name, body, code: 'ENVELOPE_INVALID', says };
}

export const envelope: Doors = {
  publishing: {
    refused: [
      ...wrong.map(refused),
      {
        name: '11 refuses an attribute in the spelling of the wire',
        draft: () => ({ correlationid: 'c-1' }),
        code: 'ENVELOPE_INVALID',
        details: { attribute: 'correlationid' },
        says: /no attribute of the profile "quickwms"/,
      },
      ...['data', 'correlationid', 'qlid'].map((name) => ({
        name: `13 refuses an extension named ${name}`,
        draft: () => ({ extensions: { [name]: 'x' } }),
        code: 'ENVELOPE_INVALID' as const,
        details: { attribute: `extensions.${name}` },
        says: /rename it/,
      })),
    ],
    kept: [
      {
        name: '14 keeps the largest and the smallest integer',
        draft: () => ({
          extensions: { most: 2 ** 31 - 1, least: -(2 ** 31) },
          version: 2 ** 31 - 1,
        }),
      },
    ],
    more: (bench) => {
      it('1 gives an event without an id one of its own', async () => {
        const { id } = await bench().publisher.publish(draftWith({}));
        expect(id).toMatch(/^[0-9a-f-]{36}$/);
        expect((await bench().delivered(id)).id).toBe(id);
      });

      it('5 refuses another body under a known id; without a store, nothing knows it', async () => {
        const id = crypto.randomUUID();
        const bodies = [{ itemId: 'first' }, { itemId: 'second' }];
        const refusals: unknown[] = [];
        for (const data of bodies) {
          const publishing = bench().publisher.publish(draftWith({ id, data }));
          await publishing.catch((error: unknown) => refusals.push(error));
        }
        await bench().flows('item-1');
        const conflict = {
          code: 'EVENT_ID_CONFLICT',
          details: { source: 'quickintakez', eventId: id },
        };
        const { stores } = bench();
        expect(refusals).toMatchObject(stores ? [conflict] : []);
        expect(dataOf(await bench().stored(id))).toEqual(stores ? bodies.slice(0, 1) : []);
        expect(dataOf(bench().receivedAs(id))).toEqual(stores ? bodies.slice(0, 1) : bodies);
      });

      it('5 refuses one of two bodies that are published under one id at the same time', async () => {
        const id = crypto.randomUUID();
        const bodies = [{ itemId: 'first' }, { itemId: 'second' }, { itemId: 'second' }];
        const outcomes = await Promise.allSettled(
          bodies.map((data) => bench().publisher.publish(draftWith({ id, data }))),
        );
        await bench().delivered(id);
        await bench().flows('item-1');
        const { stores } = bench();
        const kept = outcomes.map(({ status }) => status);
        expect(kept).toEqual(
          stores ? ['fulfilled', 'rejected', 'rejected'] : ['fulfilled', 'fulfilled', 'fulfilled'],
        );
        expect(dataOf(bench().receivedAs(id))).toEqual(stores ? bodies.slice(0, 1) : bodies);
      });

      it('6 takes one id from two sources for two events', async () => {
        const id = crypto.randomUUID();
        for (const source of ['quickintakez', 'quickpalletz']) {
          await bench().publisher.publish(draftWith({ id, source, data: { itemId: source } }));
        }
        await waitUntil('both were handled', () => bench().receivedAs(id).length === 2);
        const pairs = bench()
          .receivedAs(id)
          .map(({ source, data }) => [source, data]);
        expect(pairs).toEqual([
          ['quickintakez', { itemId: 'quickintakez' }],
          ['quickpalletz', { itemId: 'quickpalletz' }],
        ]);
      });
    },
  },

  arriving: {
    dead: [
      ...wrong.map(dead),
      {
        name: '1 keeps a message without an id for people to look at',
        body: () => JSON.stringify({ ...wireEvent(), id: undefined }),
        code: 'ENVELOPE_INVALID',
        says: /item\.received: id must be 1 to 255 characters.*, got nothing/,
      },
      {
        name: '3 keeps a message that is labelled with an id of 1 MB',
        body: () => JSON.stringify(wireEvent({ id: 'x'.repeat(1_000_000) })),
        labels: () => ({ id: 'x'.repeat(1_000_000) }),
        code: 'ENVELOPE_INVALID',
        says: /id must be 1 to 255 characters/,
      },
      {
        name: '11 refuses two spellings of an attribute that differ',
        body: () => JSON.stringify(wireEvent({ correlationId: 'c-1', correlationid: 'c-2' })),
        code: 'ENVELOPE_CONFLICT',
        says: /correlationid is "c-1" in one spelling and "c-2" in the other/,
      },
      {
        name: '13 refuses an attribute named data beside the data',
        body: () => JSON.stringify(wireEvent()).replace(/}$/, ',"data":"an attribute"}'),
        code: 'MESSAGE_UNPARSEABLE',
        says: /has the key "data" twice in one object/,
      },
    ],
    read: [
      {
        name: '14 reads the largest and the smallest integer',
        body: () => JSON.stringify(wireEvent({ most: 2 ** 31 - 1, least: -(2 ** 31) })),
        as: { extensions: { most: 2 ** 31 - 1, least: -(2 ** 31) } },
      },
    ],
    more: (bench) => {
      it('5 counts another body under a known id as a repeat where an inbox knows it', async () => {
        const id = crypto.randomUUID();
        const bodies = [{ itemId: 'first' }, { itemId: 'second' }];
        for (const data of bodies) {
          await bench().arrive(messageOf(JSON.stringify(wireEvent({ id, data })), { id }));
        }
        await bench().flows('item-1');
        const skipped = bench().observed.filter(
          (seen) => seen.kind === 'duplicate-skipped' && seen.eventId === id,
        );
        const { stores } = bench();
        expect(skipped).toHaveLength(stores ? 1 : 0);
        expect(dataOf(bench().receivedAs(id))).toEqual(stores ? bodies.slice(0, 1) : bodies);
      });

      it('6 handles one id from two sources as two events', async () => {
        const id = crypto.randomUUID();
        for (const source of ['quickintakez', 'quickpalletz']) {
          await bench().arrive(messageOf(JSON.stringify(wireEvent({ id, source })), { id }));
        }
        await bench().flows('item-1');
        const sources = bench()
          .receivedAs(id)
          .map(({ source }) => source);
        expect(sources).toEqual(['quickintakez', 'quickpalletz']);
      });

      it('11 reads an attribute in camel case, and counts it', async () => {
        const event = wireEvent({ correlationId: 'c-1', type: 'item.assigned_to_pallet' });
        await bench().arrive(messageOf(JSON.stringify(event), { type: event['type'] as string }));
        expect(await bench().delivered(event.id)).toMatchObject({ correlationId: 'c-1' });
        const counted = bench().observed.filter(({ kind }) => kind === 'wire-spelling');
        expect(counted).toContainEqual({
          kind: 'wire-spelling',
          attribute: 'correlationId',
          eventType: 'item.assigned_to_pallet',
        });
      });
    },
  },
};
