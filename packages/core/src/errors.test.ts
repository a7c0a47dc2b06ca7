import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { errorCodes, EventError, isEventError, type ErrorCode } from './errors.ts';
import { defaultRetryPolicy, isRetryable } from './retry/retry-policy.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

/** Each code of the interface with the names of its details, as the source has them. */
function detailsInSource(): Map<string, string[]> {
  const source = read('./errors.ts');
  const body = source.slice(source.indexOf('interface ErrorDetails'), source.indexOf('\n}\n'));
  const lines = body.matchAll(/^ {2}([A-Z_]+): (.*);$/gm);
  return new Map(
    [...lines].map(([, code, type]) => [
      code!,
      [...type!.matchAll(/(\w+)\??: /g)].map(([, name]) => name!),
    ]),
  );
}

interface Section {
  readonly code: string;
  readonly details: string[];
  readonly passes: boolean;
  readonly text: string;
}

function sectionsInDocs(): Section[] {
  const [, ...sections] = read('../../../docs/reference/errors.md').split('\n### ');
  return sections.map((section) => {
    const [code, , first, , ...rest] = section.split('\n');
    return {
      code: code!,
      details: [...first!.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
      passes: first!.includes('Passes by itself.'),
      text: rest.join('\n').trim(),
    };
  });
}

describe('the list of error codes', () => {
  it('is the same in the types, in the list and in the reference, in alphabetical order', () => {
    const sorted = [...errorCodes].sort();
    expect(errorCodes).toEqual(sorted);
    expect([...detailsInSource().keys()].sort()).toEqual(sorted);
    expect(sectionsInDocs().map(({ code }) => code)).toEqual(sorted);
  });

  it.each(sectionsInDocs())('is told of in full: $code', ({ code, details, passes, text }) => {
    expect(details).toEqual(detailsInSource().get(code));
    const retryable = new EventError(code as ErrorCode, '', {} as never).retryable;
    expect(passes).toBe(retryable);
    expect(text.length).toBeGreaterThan(60);
  });
});

describe('an event error', () => {
  it('begins with its code, and keeps details and cause', () => {
    const cause = new Error('beneath');
    const error = new EventError('CLAIM_HELD', 'busy; try later', { key: 'k' }, { cause });
    expect(error).toMatchObject({
      name: 'EventError',
      code: 'CLAIM_HELD',
      message: 'CLAIM_HELD: busy; try later',
      details: { key: 'k' },
      retryable: true,
      cause,
    });
    expect('cause' in new EventError('CLAIM_HELD', 'busy', { key: 'k' })).toBe(false);
  });

  it('may say otherwise whether it passes by itself', () => {
    const details = { key: 'k' };
    expect(new EventError('CLAIM_LOST', 'gone', details, { retryable: true }).retryable).toBe(true);
    expect(new EventError('CLAIM_HELD', 'busy', details, { retryable: false }).retryable).toBe(
      false,
    );
  });

  it('takes a code of an adapter, which says itself whether it passes', () => {
    const cause = new Error('beneath');
    const details = { generation: 7 };
    const fenced = new EventError('kafka/FENCED', 'another member has the partition', details, {
      retryable: true,
      cause,
    });
    expect(fenced).toMatchObject({
      code: 'kafka/FENCED',
      message: 'kafka/FENCED: another member has the partition',
      details,
      retryable: true,
      cause,
    });
    expect(isEventError(fenced, 'kafka/FENCED')).toBe(true);
    expect(isEventError(fenced, 'nats/STREAM_GONE')).toBe(false);
    expect(new EventError('nats/STREAM_GONE', 'gone', {}, { retryable: false }).retryable).toBe(
      false,
    );
  });

  it.each(['kafka', 'Kafka/FENCED', 'kafka/fenced', 'kafka/', '/FENCED', 'a/B/C', 'a b/C', 'NOPE'])(
    'refuses %s, which is neither of the list nor of an adapter',
    (code) => {
      const make = (): unknown => new EventError(code as 'a/B', '', {}, { retryable: true });
      expect(make).toThrow(
        new TypeError(
          `${code} is no error code; it must be one of errorCodes, or <adapter>/<NAME> such as kafka/FENCED`,
        ),
      );
    },
  );

  it('of an adapter must say whether it passes by itself', () => {
    const make = (): unknown =>
      new EventError('kafka/FENCED', '', {}, {} as { retryable: boolean });
    expect(make).toThrow(new TypeError('an error kafka/FENCED must say whether it is retryable'));
  });

  it('of an adapter is worth a retry exactly if it says so', () => {
    for (const retryable of [true, false]) {
      const error = new EventError('kafka/FENCED', 'no', {}, { retryable });
      expect(isRetryable(defaultRetryPolicy, error)).toBe(retryable);
    }
  });

  it('is known by its name and code, also when another copy of the library made it', () => {
    const foreign = Object.assign(new Error('x'), { name: 'EventError', code: 'CLAIM_HELD' });
    expect(isEventError(foreign)).toBe(true);
    expect(isEventError(foreign, 'CLAIM_HELD')).toBe(true);
    expect(isEventError(foreign, 'CLAIM_LOST')).toBe(false);
    expect(isEventError(Object.assign(new Error('x'), { code: 'CLAIM_HELD' }))).toBe(false);
    expect(isEventError({ name: 'EventError', code: 'CLAIM_HELD' })).toBe(false);
    expect(isEventError(undefined)).toBe(false);
  });

  it('can be looked for in anything that was thrown', () => {
    const hostile = new Proxy(new Error('x'), {
      get() {
        throw new Error('do not touch');
      },
    });
    expect(isEventError(hostile)).toBe(false);
  });
});
