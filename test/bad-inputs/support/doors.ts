import { deepStrictEqual } from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';

import { isEventError, type ErrorCode, type ErrorDetails } from '@waybill/core';
import type { Message } from '@waybill/core/adapter';
import type { CreateEventOptions, EventEnvelope } from '@quickwms/events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Bench } from './bench.ts';
import { messageOf } from './messages.ts';

/** What JavaScript lets a caller hand over, whatever the types say. */
export type AnyDraft = { readonly [Name in keyof CreateEventOptions]?: unknown } & {
  readonly [name: string]: unknown;
};

/** A draft that must be refused, with nothing left behind. */
export interface RefusedDraft {
  /** Number and sentence. */
  readonly name: string;
  readonly draft: () => AnyDraft;
  readonly code: ErrorCode;
  readonly details?: Partial<ErrorDetails[ErrorCode]>;
  readonly says: RegExp;
}

/** A draft that looks bad and is not: what is stored and delivered must be what was given. */
export interface KeptDraft {
  readonly name: string;
  readonly draft: () => AnyDraft;
  /** What the stored and the delivered event must hold; the draft itself unless given. */
  readonly as?: () => object;
}

/** A message that must end as a dead letter, kept byte by byte. */
export interface DeadMessage {
  readonly name: string;
  readonly body: (bench: Bench) => string | Uint8Array;
  readonly labels?: () => Partial<Omit<Message, 'body'>>;
  readonly code: ErrorCode;
  readonly says: RegExp;
}

/** A message that looks bad and is not. */
export interface ReadMessage {
  readonly name: string;
  readonly body: () => string | Uint8Array;
  /** What the handler must get. */
  readonly as: object;
}

/** Longest message that a person can still be shown; an input of any size must not blow it up. */
const maxMessageLength = 700;

/** Data that JSON would change or drop, refused with the path to it. */
export function notJson(
  name: string,
  data: () => unknown,
  path: string,
  says: RegExp,
): RefusedDraft {
  return {
    name,
    draft: () => ({ data: data() }),
    code: 'PAYLOAD_NOT_JSON',
    details: { eventType: 'item.received', path },
    says,
  };
}

export function unparseable(name: string, body: DeadMessage['body'], says: RegExp): DeadMessage {
  return { name, body, code: 'MESSAGE_UNPARSEABLE', says };
}

/** Fills in what a good draft has. */
export function draftWith(parts: AnyDraft): CreateEventOptions & { type: string } {
  const good = { type: 'item.received', subject: 'item-1', data: { itemId: 'item-1' } };
  return { ...good, ...parts } as CreateEventOptions & { type: string };
}

function itRefuses(open: () => Bench, cases: readonly RefusedDraft[]): void {
  it.each(cases)('$name', async ({ draft, code, details = {}, says }) => {
    const bench = open();
    const before = await bench.counts();
    const refusal = await refusalOf(() => bench.publisher.publish(draftWith(draft())));
    expectRefusal(refusal, { code, details, says });
    expect(await bench.counts()).toEqual(before);
  });
}

function itKeeps(open: () => Bench, cases: readonly KeptDraft[]): void {
  it.each(cases)('$name', async ({ draft, as }) => {
    const bench = open();
    const { id } = await bench.publisher.publish(draftWith(draft()));
    const delivered = await bench.delivered(id);
    expectHolds(delivered, as?.() ?? draft());
    expect(await bench.stored(id)).toEqual(bench.stores ? [delivered] : []);
  });
}

function itDeadLetters(open: () => Bench, cases: readonly DeadMessage[]): void {
  it.each(cases)('$name', async ({ body, labels, code, says }) => {
    const bench = open();
    const message = messageOf(body(bench), labels?.());
    const { received } = bench;
    const handled = received.length;
    await bench.newDeadLetters();
    await bench.arrive(message);
    await bench.flows(message.key);
    const [letter, ...others] = await bench.newDeadLetters();
    expect(others).toHaveLength(0);
    expect(letter).toMatchObject({
      handler: '',
      status: 'pending',
      failureType: 'permanent',
      errorCode: code,
      message: withoutBody(message),
      failureReason: expect.stringMatching(says),
    });
    expect(letter!.failureReason.length).toBeLessThan(maxMessageLength);
    expectSameBytes(letter!.message.body, message.body, bench.tellsTextFromBytes);
    // The good event that came after it, and nothing else.
    expect(received.length).toBe(handled + 1);
    expect(bench.health()).toEqual({ status: 'ok', reasons: [] });
  });
}

function withoutBody({ body: _body, ...labels }: Message): Omit<Message, 'body'> {
  return labels;
}

function itReads(open: () => Bench, cases: readonly ReadMessage[]): void {
  it.each(cases)('$name', async ({ body, as }) => {
    const bench = open();
    await bench.newDeadLetters();
    const message = messageOf(body());
    const { length } = bench.received;
    await bench.arrive(message);
    await bench.flows(message.key);
    expectHolds(bench.received[length]!, as);
    expect(await bench.newDeadLetters()).toEqual([]);
  });
}

/** What a call was refused with. */
export async function refusalOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error('it was not refused');
}

/** Says that an error is ours, names what it should, and can be shown to a person. */
export function expectRefusal(
  error: unknown,
  { code, details = {}, says }: { code: ErrorCode; details?: object; says: RegExp },
): void {
  if (!isEventError(error)) throw error;
  expect(error).toMatchObject({ code, details });
  expect(error.message).toMatch(says);
  expect(error.message.length).toBeLessThan(maxMessageLength);
  expect(error.message).not.toMatch(/\p{Cc}/u);
}

/** Every part is there, and is the very same value: `-0` is not `0`, an absent key is not `undefined`. */
function expectHolds(event: EventEnvelope, expected: object): void {
  const parts = Object.keys(expected) as (keyof EventEnvelope)[];
  const held = Object.fromEntries(parts.map((part) => [part, event[part]]));
  deepStrictEqual(held, expected);
}

function expectSameBytes(
  actual: string | Uint8Array,
  expected: string | Uint8Array,
  tellsTextFromBytes: boolean,
): void {
  const bytes = Buffer.from(expected);
  const isText = tellsTextFromBytes ? typeof expected === 'string' : isUtf8(bytes);
  expect(typeof actual).toBe(isText ? 'string' : 'object');
  expect(Buffer.from(actual).equals(bytes)).toBe(true);
}

/** Both ways in, and what must become of what comes. */
export interface Doors {
  readonly publishing: {
    readonly refused: readonly RefusedDraft[];
    readonly kept: readonly KeptDraft[];
    readonly more?: (bench: () => Bench) => void;
  };
  readonly arriving: {
    readonly dead: readonly DeadMessage[];
    readonly read: readonly ReadMessage[];
    readonly more?: (bench: () => Bench) => void;
  };
}

/** A new database takes its time on a busy machine. */
const openingDeadlineMs = 120_000;

/**
 * Runs every case at both ways in, over one kind of bus.
 *
 * @param open Opens a service over that bus; left out of the run where there is none.
 */
export function describeDoors(
  over: string,
  open: (() => Promise<Bench>) | undefined,
  blocks: readonly Doors[],
): void {
  describe.skipIf(!open)(`over ${over}`, () => {
    let opened: Bench | undefined;
    const bench = (): Bench => opened!;
    beforeAll(async () => {
      opened = await open!();
    }, openingDeadlineMs);
    afterAll(() => opened?.close());

    describe('publishing', () => {
      for (const { publishing } of blocks) {
        itRefuses(bench, publishing.refused);
        itKeeps(bench, publishing.kept);
        publishing.more?.(bench);
      }
    });
    describe('arriving', () => {
      for (const { arriving } of blocks) {
        itDeadLetters(bench, arriving.dead);
        itReads(bench, arriving.read);
        arriving.more?.(bench);
      }
    });
  });
}
