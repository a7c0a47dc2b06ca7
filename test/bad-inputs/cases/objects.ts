// Inputs 33 to 40: objects that attack whoever reads them.

import { gzipSync } from 'node:zlib';

import { expect, it } from 'vitest';

import {
  draftWith,
  expectRefusal,
  refusalOf,
  type AnyDraft,
  type Doors,
  type RefusedDraft,
} from '../support/doors.ts';
import { wireEvent, wireText } from '../support/messages.ts';

/** An object with a property that an object literal would take for its prototype. */
function withProto(): Record<string, unknown> {
  return JSON.parse('{"itemId":"item-1","__proto__":{"polluted":true}}') as Record<string, unknown>;
}

const awkwardKeys = {
  constructor: { prototype: { polluted: true } },
  prototype: 'x',
  hasOwnProperty: 'not a function',
  toString: 'not a function',
  valueOf: null,
  then: 'not a function',
};

class Pallet {
  itemId = 'item-1';
}

const metadata = { retryCount: 0, environment: 'production' };

/** Data that would run code of its own when it is read or written. */
function refusedData(name: string, data: () => unknown, path: string, says: RegExp): RefusedDraft {
  return {
    name,
    draft: () => ({ data: data() }),
    code: 'PAYLOAD_NOT_JSON',
    details: { path },
    says,
  };
}

function refusedAttribute(name: string, draft: () => AnyDraft, attribute: string): RefusedDraft {
  return { name, draft, code: 'ENVELOPE_INVALID', details: { attribute }, says: /, got / };
}

function throwingGetter(): object {
  return {
    get itemId(): string {
      throw new Error('the lazy relation is closed');
    },
  };
}

function proxyThatThrows(): object {
  return new Proxy(
    {},
    {
      ownKeys() {
        throw new Error('the proxy was revoked');
      },
    },
  );
}

/** Answers otherwise each time that it is asked. */
function counting(): { readonly itemId: string } {
  let asked = 0;
  return {
    get itemId() {
      asked += 1;
      return `item-${asked}`;
    },
  };
}

/** Small to send, and 64 MB for whoever unpacks it. */
function gzipBomb(): Uint8Array {
  return gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
}

export const objects: Doors = {
  publishing: {
    refused: [
      refusedData('33 refuses a key __proto__ in data', withProto, '__proto__', /rename it/),
      refusedData(
        '33 refuses a key __proto__ deep in data',
        () => ({ items: [withProto()] }),
        'items.0.__proto__',
        /can change the prototype of objects/,
      ),
      refusedAttribute(
        '33 refuses a key __proto__ in metadata',
        () => ({ metadata: { ...withProto(), ...metadata, itemId: undefined } }),
        'metadata.itemId',
      ),
      refusedAttribute(
        '33 refuses a key __proto__ in extensions',
        () => ({ extensions: JSON.parse('{"__proto__":"x"}') as object }),
        'extensions.__proto__',
      ),
      refusedAttribute(
        '33 refuses a key __proto__ in the draft itself',
        () => JSON.parse('{"__proto__":{"polluted":true}}') as AnyDraft,
        '__proto__',
      ),
      refusedAttribute(
        '34 refuses a metadata that says what it is made of',
        () => ({ metadata: { ...metadata, constructor: { prototype: {} } } }),
        'metadata.constructor',
      ),
      refusedData(
        '36 refuses a toJSON that writes something else',
        () => ({ item: { toJSON: () => 'item-1' } }),
        'item',
        /has a toJSON method/,
      ),
      refusedData(
        '36 refuses an instance of a class',
        () => ({ on: new Pallet() }),
        'on',
        /of Pallet/,
      ),
      refusedAttribute(
        '36 refuses an attribute that is an object with a toJSON',
        () => ({ subject: { toJSON: () => 'item-1' } }),
        'subject',
      ),
      refusedData(
        '37 refuses a getter that throws',
        throwingGetter,
        'itemId',
        /throws when it is read/,
      ),
      refusedData('38 refuses a proxy that throws', proxyThatThrows, '', /throws when it is read/),
      refusedData(
        '40 refuses packed bytes',
        () => ({ packed: gzipSync('{}') }),
        'packed',
        /base64/,
      ),
      {
        name: '40 refuses data that is called something else than JSON',
        draft: () => ({ datacontenttype: 'application/gzip' }),
        code: 'ENVELOPE_INVALID',
        details: { attribute: 'datacontenttype' },
        says: /must be "application\/json"/,
      },
    ],
    kept: [
      { name: '34 keeps a key named constructor', draft: () => ({ data: { ...awkwardKeys } }) },
      {
        name: '34 keeps a type that is named like a property of every object',
        draft: () => ({ type: 'constructor.__proto__' }),
      },
      {
        name: '35 keeps keys named then and toString',
        draft: () => ({ data: { deep: awkwardKeys } }),
      },
      {
        name: '38 keeps what a harmless proxy stands for',
        draft: () => ({ data: new Proxy({ itemId: 'item-1' }, {}) }),
        as: () => ({ data: { itemId: 'item-1' } }),
      },
      {
        name: '39 keeps an object without a prototype',
        draft: () => ({ data: Object.assign(Object.create(null) as object, { itemId: 'item-1' }) }),
        as: () => ({ data: { itemId: 'item-1' } }),
      },
    ],
    more: (bench) => {
      it('35 does not wait for data that looks like a promise', async () => {
        const then = (): never => {
          throw new Error('somebody awaited the data');
        };
        const publishing = bench().publisher.publish(draftWith({ data: { then } }));
        expectRefusal(await refusalOf(() => publishing), {
          code: 'PAYLOAD_NOT_JSON',
          details: { path: 'then' },
          says: /is a function, which JSON drops/,
        });
      });

      it.each([
        ['37 stores and delivers one answer of a getter', counting],
        ['38 stores and delivers one answer of a proxy', () => new Proxy(counting(), {})],
      ])('%s that answers otherwise each time', async (_, data) => {
        const { id } = await bench().publisher.publish(draftWith({ data: data() }));
        const delivered = await bench().delivered(id);
        expect(delivered.data).toEqual({ itemId: expect.stringMatching(/^item-\d+$/) });
        expect(await bench().stored(id)).toEqual(bench().stores ? [delivered] : []);
      });

      it('38 publishes data as it was when publish was called', async () => {
        const data = { itemId: 'meant' };
        const publishing = bench().publisher.publish(draftWith({ data }));
        data.itemId = 'changed later';
        const { id } = await publishing;
        const delivered = await bench().delivered(id);
        expect(delivered.data).toEqual({ itemId: 'meant' });
        expect(await bench().stored(id)).toEqual(bench().stores ? [delivered] : []);
      });

      it('33 leaves the prototype of objects alone, whatever came', () => {
        expect('polluted' in {}).toBe(false);
      });
    },
  },

  arriving: {
    dead: [
      {
        name: '33 refuses a key __proto__ in data',
        body: () => wireText('{"items":[{"__proto__":{"polluted":true}}]}'),
        code: 'MESSAGE_UNPARSEABLE',
        says: /has a key "__proto__" at character \d+, which can change the prototype/,
      },
      {
        name: '33 refuses a key __proto__ in metadata',
        body: () => wireText('{}').replace(/}$/, ',"metadata":{"__proto__":{"polluted":true}}}'),
        code: 'MESSAGE_UNPARSEABLE',
        says: /has a key "__proto__"/,
      },
      {
        name: '33 refuses an attribute __proto__',
        body: () => wireText('{}').replace(/}$/, ',"__proto__":"x"}'),
        code: 'MESSAGE_UNPARSEABLE',
        says: /has a key "__proto__"/,
      },
      {
        name: '34 refuses an attribute that is an object, under any name',
        body: () => JSON.stringify(wireEvent({ constructor: { prototype: { polluted: true } } })),
        code: 'ENVELOPE_INVALID',
        says: /extensions\.constructor must be .*, got an object/,
      },
      {
        name: '36 refuses an attribute that is an object with a toJSON',
        body: () => JSON.stringify(wireEvent({ subject: { toJSON: 'item-1' } })),
        code: 'ENVELOPE_INVALID',
        says: /subject must be 1 to 255 characters.*, got an object/,
      },
      {
        name: '40 does not unpack a gzip bomb',
        body: gzipBomb,
        labels: () => ({ headers: [['Content-Encoding', 'gzip']] }),
        code: 'MESSAGE_UNPARSEABLE',
        says: /the body is encoded with "gzip"; send it uncompressed/,
      },
      {
        name: '40 does not unpack a gzip bomb that is not labelled as one',
        body: gzipBomb,
        code: 'MESSAGE_UNPARSEABLE',
        says: /the body is not UTF-8/,
      },
    ],
    read: [
      {
        name: '34 reads keys named constructor and prototype',
        body: () => JSON.stringify(wireEvent({ data: awkwardKeys })),
        as: { data: awkwardKeys },
      },
      {
        name: '35 reads keys named then and toString, and waits for none of them',
        body: () => JSON.stringify(wireEvent({ data: { deep: awkwardKeys } })),
        as: { data: { deep: awkwardKeys } },
      },
      {
        name: '36 takes a toJSON from the wire for a key like any other',
        body: () => wireText('{"toJSON":"item-1"}'),
        as: { data: { toJSON: 'item-1' } },
      },
      {
        name: '37 takes the spelling of a getter for a key like any other',
        body: () => wireText('{"get itemId()":"item-1"}'),
        as: { data: { 'get itemId()': 'item-1' } },
      },
      {
        name: '38 takes a key named Proxy for a key like any other',
        body: () => wireText('{"Proxy":{"target":{}}}'),
        as: { data: { Proxy: { target: {} } } },
      },
      {
        name: '39 gives handlers objects with the usual prototype',
        body: () => wireText('{"deep":{}}'),
        as: { data: { deep: {} } },
      },
    ],
  },
};
