import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { testProfile, validEnvelope } from '../../test/arbitraries.ts';
import { envelope } from '../../test/envelope.ts';
import { raise, thrownBy } from '../../test/handlers.ts';
import { plainProfile, type EventEnvelope } from './envelope.ts';
import { checkEnvelope } from './envelope-check.ts';
import { isEventError } from '../errors.ts';

/** The attribute that is refused, and why; fails if nothing is. */
function refusal(said: Record<string, unknown>): { attribute: string; message: string } {
  try {
    checkEnvelope({ ...envelope(), ...said } as EventEnvelope, testProfile);
  } catch (error) {
    if (!isEventError(error, 'ENVELOPE_INVALID')) throw error;
    return { attribute: error.details.attribute, message: error.message };
  }
  throw new Error('nothing was refused');
}

const tooLong = 'x'.repeat(256);
/** What no attribute of text may be. */
const badTexts = [
  '',
  tooLong,
  'a\0b',
  'a\nb',
  'a\u007f',
  'a\u0085',
  '\ud800',
  '\uffff',
  1,
  null,
  {},
];

const isText = (value: unknown): boolean => typeof value === 'string';

const metadata = { retryCount: 0, environment: 'production' };

describe('envelope check', () => {
  it('accepts every valid event', () => {
    fc.assert(
      fc.property(validEnvelope, (event) => {
        checkEnvelope(event, testProfile);
      }),
    );
  });

  it('accepts attributes that are undefined', () => {
    const event = { ...envelope(), subject: undefined, shelfId: undefined, other: undefined };
    expect(() => checkEnvelope(event as EventEnvelope, testProfile)).not.toThrow();
  });

  it.each(['id', 'subject', 'correlationId', 'causationId', 'userId', 'traceparent', 'shelfId'])(
    'bounds %s to 1 to 255 characters that CloudEvents allows',
    (attribute) => {
      checkEnvelope({ ...envelope(), [attribute]: 'x'.repeat(255) }, testProfile);
      checkEnvelope({ ...envelope(), [attribute]: 'Kühlschrank 😀' }, testProfile);
      for (const bad of attribute === 'shelfId' ? badTexts.filter(isText) : badTexts) {
        const { message } = refusal({ [attribute]: bad });
        expect(message).toContain(`${attribute} must be 1 to 255 characters`);
      }
    },
  );

  it('says which event, what is wrong and what would be right', () => {
    expect(refusal({ id: '7c1e', subject: '' }).message).toBe(
      'ENVELOPE_INVALID: item.graded 7c1e: subject must be 1 to 255 characters, with no control, broken or reserved character among them, got ""',
    );
  });

  it.each<[string, unknown]>([
    ['specversion', '0.3'],
    ['specversion', 1],
    ['type', 'item graded'],
    ['type', 'item..graded'],
    ['type', '.item'],
    ['type', 'item.'],
    ['type', ''],
    ['type', 'item.*'],
    ['type', 'größe.changed'],
    ['type', 'x.'.repeat(5_000) + 'x'],
    ['type', undefined],
    ['source', ''],
    ['source', 'has space'],
    ['source', 'a%zz'],
    ['source', '1:b'],
    ['source', 'http://[::1'],
    ['source', 'a#b#c'],
    ['source', 'größe'],
    ['source', 'a<b>'],
    ['source', tooLong],
    ['source', undefined],
    ['dataschema', 'schemas/item'],
    ['dataschema', 'not a uri'],
    ['dataschema', ''],
    ['datacontenttype', 'text/plain'],
    ['datacontenttype', 'application/json; charset=latin1'],
    ['datacontenttype', ''],
    ['version', 0],
    ['version', 1.5],
    ['version', 2 ** 31],
    ['version', '1'],
    ['version', Number.NaN],
    ['floor', 2 ** 31],
    ['floor', 0.5],
    ['floor', 'ground'],
    ['shelfId', {}],
    ['tracestate', 'x'.repeat(8_193)],
    ['metadata', null],
    ['metadata', 'x'],
    ['extensions', null],
    ['extensions', ['x']],
  ])('refuses as %s %j', (attribute, value) => {
    expect(refusal({ [attribute]: value }).attribute).toBe(attribute);
  });

  it.each([
    ['retryCount', { ...metadata, retryCount: -1 }],
    ['retryCount', { ...metadata, retryCount: -0 }],
    ['retryCount', { environment: 'staging' }],
    ['environment', { ...metadata, environment: 'qa' }],
    ['originalTimestamp', { ...metadata, originalTimestamp: '2026-01-01' }],
    ['note', { ...metadata, note: 'x' }],
    ['__proto__', JSON.parse('{"retryCount":0,"environment":"staging","__proto__":{}}')],
  ])('refuses metadata with a bad %s', (name, value) => {
    expect(refusal({ metadata: value }).attribute).toBe(`metadata.${name}`);
  });

  it.each<[string, unknown]>([
    ['data', 'x'],
    ['id', 'x'],
    ['correlationid', 'x'],
    ['shelfid', 'x'],
    ['Region', 'x'],
    ['re-gion', 'x'],
    ['re_gion', 'x'],
    ['größe', 'x'],
    ['', 'x'],
    ['a'.repeat(21), 'x'],
    ['rank', 2 ** 31],
    ['rank', -(2 ** 31) - 1],
    ['rank', 0.5],
    ['rank', -0],
    ['rank', null],
    ['rank', {}],
    ['rank', 'x'.repeat(8_193)],
    ['rank', 'a\0'],
  ])('refuses an extension %j with the value %j', (name, value) => {
    expect(refusal({ extensions: { [name]: value } }).attribute).toContain(
      `extensions.${name}`.slice(0, 30),
    );
  });

  it('refuses an own __proto__ among extensions', () => {
    const extensions: unknown = JSON.parse('{"__proto__":"x"}');
    expect(refusal({ extensions }).attribute).toBe('extensions.__proto__');
  });

  it('leaves the names of metadata to extensions while there is no metadata', () => {
    const extensions = { environment: 'qa' };
    checkEnvelope(envelope({ extensions }), testProfile);
    expect(refusal({ extensions, metadata }).attribute).toBe('extensions.environment');
  });

  it('refuses a property that would not be written', () => {
    expect(refusal({ warehouse: 'PHX' }).message).toContain(
      'warehouse is no attribute of the profile "test"; put it into extensions or data, got "PHX"',
    );
    expect(() =>
      checkEnvelope({ ...envelope(), shelfId: 's' } as EventEnvelope, plainProfile),
    ).toThrow('shelfId is no attribute of the profile "plain"');
  });

  it('tells what the profile says of its attribute', () => {
    expect(refusal({ floor: 13 }).message).toContain('floor must be a floor that there is, got 13');
  });

  it.each([
    ['shelfId', 7, 'must be 1 to 255 characters'],
    ['floor', '7', 'must be a 32-bit integer, got "7"'],
    ['floor', 2 ** 31, 'must be a 32-bit integer'],
    ['floor', 1.5, 'must be a 32-bit integer'],
    ['floor', true, 'must be a 32-bit integer, got true'],
    ['fragile', 'true', 'must be true or false, got "true"'],
    ['fragile', 0, 'must be true or false, got 0'],
    ['fragile', null, 'must be true or false, got null'],
  ])('refuses an attribute %s of the profile with the value %j', (name, value, rule) => {
    expect(refusal({ [name]: value }).message).toContain(`${name} ${rule}`);
  });

  it.each([
    ['throws', () => raise(new RangeError('no such shelf')), 'threw: no such shelf'],
    ['returns no text', () => false, 'returned false; it must return text or undefined'],
    ['returns null', () => null, 'returned null; it must'],
    ['has to wait', async () => undefined, 'returned an object; it must'],
  ])('names the profile whose check of an attribute %s', (_, validate, message) => {
    const profile = {
      name: 'odd',
      attributes: [{ name: 'shelfId', wire: 'shelfid', column: 's', validate: validate as never }],
    };
    const event = { ...envelope(), shelfId: 's-1' } as EventEnvelope;
    const refused = thrownBy(() => checkEnvelope(event, profile));
    expect(refused).toMatchObject({
      code: 'PROFILE_FAILED',
      retryable: false,
      details: { profile: 'odd', part: 'validate of shelfId', eventType: event.type },
    });
    expect((refused as Error).message).toContain(
      `item.graded event-1: validate of shelfId of the profile "odd" ${message}`,
    );
  });

  it('says nothing of an id that is no text', () => {
    expect(refusal({ id: 'x'.repeat(1_000_000) }).message.length).toBeLessThan(300);
  });
});
