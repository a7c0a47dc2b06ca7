// Holds the types of errors still: what should not compile here does not.

import { EventError, isEventError } from './errors.ts';
import type { AdapterErrorCode } from './errors.ts';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<_T extends true>(): void {}

declare const thrown: unknown;

// Our own codes
const held = new EventError('CLAIM_HELD', 'busy', { key: 'k' });
assertType<Equal<typeof held.code, 'CLAIM_HELD'>>();
assertType<Equal<typeof held.details, { key: string }>>();
// @ts-expect-error a code that is not in the list
void new EventError('CLAIM_KEPT', 'busy', { key: 'k' });
// @ts-expect-error details of another code
void new EventError('CLAIM_HELD', 'busy', { what: 'k' });

// Codes of adapters
const gone: EventError<'nats/STREAM_GONE'> = new EventError(
  'nats/STREAM_GONE',
  'gone',
  { stream: 'orders' },
  { retryable: false },
);
assertType<Equal<typeof gone.details, Readonly<Record<string, unknown>>>>();
const any: EventError = gone;
void any;
// @ts-expect-error nobody but the adapter knows whether it passes
void new EventError('nats/STREAM_GONE', 'gone', {});
// @ts-expect-error the adapter is in lower case
const shouting: AdapterErrorCode = 'NATS/STREAM_GONE';
// @ts-expect-error the name is in upper case
const whispering: AdapterErrorCode = 'nats/stream_gone';
// @ts-expect-error there is no name
const nameless: AdapterErrorCode = 'nats';
void [shouting, whispering, nameless];
// @ts-expect-error a malformed code
void new EventError('Nats/STREAM_GONE', 'gone', {}, { retryable: false });

// Telling one from another
if (isEventError(thrown, 'nats/STREAM_GONE')) {
  assertType<Equal<typeof thrown, EventError<'nats/STREAM_GONE'>>>();
}
if (isEventError(thrown, 'CLAIM_HELD')) assertType<Equal<typeof thrown.details.key, string>>();
if (isEventError(thrown)) assertType<Equal<typeof thrown, EventError>>();
// @ts-expect-error a malformed code
isEventError(thrown, 'nats/stream_gone');
