import { runInNewContext } from 'node:vm';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { keepableData } from '../../test/arbitraries.ts';
import { isEventError } from '../errors.ts';
import { assertJson } from './json-safety.ts';

const event = { type: 'item.graded', id: '7c1e' };

/** Path and message of the refusal; fails if there is none. */
function refusal(data: unknown, maxBytes?: number): { path: string; message: string } {
  try {
    assertJson(data, event, maxBytes);
  } catch (error) {
    if (isEventError(error, 'PAYLOAD_NOT_JSON')) {
      return { path: error.details.path, message: error.message };
    }
    throw error;
  }
  throw new Error('nothing was refused');
}

class Item {
  readonly grade = 'A';
}

const cyclic: { items: unknown[] } = { items: [1] };
cyclic.items.push({ back: cyclic });

const unreadable = (): never => {
  throw new Error('do not read me');
};

const revoked = Proxy.revocable({}, {});
revoked.revoke();

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 ? { in: value } : [value];
  return value;
}

describe('JSON safety', () => {
  it('accepts what JSON gives back unchanged', () => {
    fc.assert(
      fc.property(keepableData, (data) => {
        assertJson(data, event);
        expect(JSON.parse(JSON.stringify(data))).toEqual(data);
      }),
    );
  });

  it('accepts properties that are undefined, as JSON leaves them out', () => {
    assertJson({ a: undefined }, event);
  });

  it('accepts plain objects without prototype and of other realms', () => {
    assertJson(Object.create(null), event);
    assertJson(runInNewContext('({ a: [1, { b: "c" }] })'), event);
  });

  it('accepts a Proxy that behaves like a plain object', () => {
    assertJson(new Proxy({ a: 1 }, {}), event);
  });

  it.each<[string, unknown, string, string]>([
    ['NaN', { a: [1, Number.NaN] }, 'a.1', 'is NaN, which JSON writes as null'],
    ['Infinity', [Infinity], '0', 'is Infinity, which JSON writes as null'],
    ['-Infinity', -Infinity, '', 'is -Infinity, which JSON writes as null'],
    ['-0', { balance: -0 }, 'balance', 'is -0, which JSON writes as 0; add 0 to it'],
    ['BigInt', { a: 1n }, 'a', 'is a BigInt; write it as a string'],
    ['undefined as data', undefined, '', 'is undefined, which JSON drops; write null'],
    ['undefined in an array', [1, undefined], '1', 'is undefined, which JSON drops; write null'],
    ['a hole', Array(2), '0', 'is undefined, which JSON drops; write null'],
    ['a function', { a: { b: () => 1 } }, 'a.b', 'is a function, which JSON drops'],
    ['a symbol', { a: Symbol('s') }, 'a', 'is a symbol, which JSON drops'],
    ['a Date', { when: new Date(0) }, 'when', 'is a Date; write its toISOString()'],
    ['a Map', { a: new Map() }, 'a', 'is a Map; write Object.fromEntries() of it'],
    ['a Set', [new Set([1])], '0', 'is a Set; write an array of its values'],
    ['bytes', { a: Buffer.from('x') }, 'a', 'holds bytes; write them in base64'],
    ['an instance', { item: new Item() }, 'item', 'is an instance of Item; write a plain object'],
    ['a boxed number', [Object(1)], '0', 'is an instance of Number; write a plain object'],
    ['a promise', Promise.resolve(), '', 'is an instance of Promise; write a plain object'],
    ['toJSON', { a: { toJSON: () => 1 } }, 'a', 'has a toJSON method'],
    ['hidden toJSON', [hidden({})], '0', 'has a toJSON method'],
    ['toJSON of an array', { a: hidden([]) }, 'a', 'has a toJSON method'],
    ['own __proto__', JSON.parse('{"a":{"__proto__":1}}'), 'a.__proto__', 'is a key that can'],
    ['U+0000', ['a\0'], '0', 'contains U+0000, which PostgreSQL cannot keep'],
    ['U+0000 in a key', { 'a\0': 1 }, String.raw`a\u0000`, 'contains U+0000'],
    ['half a surrogate pair', { a: 'x\ud800' }, 'a', 'contains half a surrogate pair'],
    ['half a pair in a key', { '\udc00': 1 }, String.raw`\udc00`, 'contains half a surrogate'],
    ['a cycle', cyclic, 'items.1.back', 'refers to an object that it is part of'],
    [
      'a getter that throws',
      {
        a: {
          get b() {
            return unreadable();
          },
        },
      },
      'a.b',
      'throws when',
    ],
    ['a Proxy that throws', { a: new Proxy({}, { ownKeys: unreadable }) }, 'a', 'throws when'],
    ['a revoked Proxy', [revoked.proxy], '0', 'throws when it is read'],
  ])('refuses %s, with the path', (_what, data, path, message) => {
    const refused = refusal(data);
    expect(refused.path).toBe(path);
    expect(refused.message).toContain(
      `PAYLOAD_NOT_JSON: item.graded 7c1e: data${path && `.${path}`} ${message}`,
    );
  });

  it('keeps what a getter has thrown as the cause', () => {
    const cause = new Error('do not read me');
    const data = {
      get a(): never {
        throw cause;
      },
    };
    expect(() => assertJson(data, event)).toThrow(expect.objectContaining({ cause }));
  });

  it('refuses more than 100 levels', () => {
    assertJson(nested(100), event);
    expect(refusal(nested(101)).message).toContain('is nested more than 100 deep; flatten it');
    expect(refusal(nested(20_000)).message).toContain('is nested more than 100 deep; flatten it');
  });

  it('gives up soon on what would be too large', () => {
    let data: unknown = 'x';
    for (let level = 0; level < 90; level += 1) data = { left: data, right: data };
    expect(() => assertJson(data, event)).toThrow('PAYLOAD_TOO_LARGE: item.graded 7c1e');
  });

  it('never finds too large what fits', () => {
    fc.assert(
      fc.property(keepableData, (data) => {
        // One byte for what follows the data in an event.
        assertJson(data, event, Buffer.byteLength(JSON.stringify(data)) + 1);
      }),
    );
  });

  it('keeps its messages short and on one line', () => {
    const key = `${'long'.repeat(1_000)}\n`;
    const { message } = refusal({ [key]: { [key]: { [key]: { [key]: 1n } } } });
    expect(message.length).toBeLessThan(500);
    expect(message).not.toContain('\n');
  });

  it('checks well again after a refusal', () => {
    refusal([[[Number.NaN]]]);
    expect(refusal({ a: 1n }).path).toBe('a');
    assertJson({ a: 1 }, event);
  });
});

/** Gives an object a `toJSON` that no loop over its keys shows. */
function hidden<T extends object>(object: T): T {
  return Object.defineProperty(object, 'toJSON', { value: () => 1, enumerable: false });
}
