import { systemClock } from '../../clock.ts';
import type { Codec } from '../codec.ts';
import { plainProfile, type EventEnvelope, type Profile } from '../envelope.ts';
import { checkEnvelope } from '../envelope-check.ts';
import { EventError } from '../../errors.ts';
import { eventLabel } from '../event-label.ts';
import {
  assertJson,
  assertJsonValues,
  defaultMaxBytes,
  maxJsonDepth,
  payloadTooLarge,
} from '../json-safety.ts';
import { keyOf } from '../ordering-key.ts';
import { observeAll, type Observer } from '../../observer.ts';
import { assertKnownOptions, assertRange } from '../../options.ts';
import { assertProfile } from '../profile-check.ts';
import type { Message } from '../message.ts';
import { assertHeadersAgree } from './header-agreement.ts';
import { assertContent, structuredContentType } from './content-type.ts';
import { fromWire, type FromWireOptions } from './from-wire.ts';
import { isWireEvent, readBody } from './message-body.ts';
import { toWire } from './to-wire.ts';
import { unparseable } from './unparseable.ts';
import type { WireEvent } from './wire-event.ts';

export interface JsonCodecOptions {
  /** Whose attributes and ordering keys; the engine's alone unless given. */
  profile?: Profile;
  /** The largest event that is written or read, in bytes; 1 MiB unless given. */
  maxBytes?: number;
  /** Time of an event that comes without one, in milliseconds since the epoch. */
  now?: () => number;
  /** Hears of each attribute that came in camel case. */
  observe?: Observer;
}

/**
 * Structured-mode CloudEvents in JSON: the whole event is one JSON text.
 *
 * What it accepts it can write again, and neither JSON nor a JSONB column changes it.
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export class JsonCodec implements Codec {
  readonly profile: Profile;
  readonly maxBytes: number;
  readonly #reading: FromWireOptions;

  /** @throws {TypeError} If an option is unknown or out of range, or the profile claims a name that is taken. */
  constructor(options: JsonCodecOptions = {}) {
    assertKnownOptions('JsonCodec', options, {
      profile: true,
      maxBytes: true,
      now: true,
      observe: true,
    });
    const {
      profile = plainProfile,
      maxBytes = defaultMaxBytes,
      now = systemClock.now,
      observe,
    } = options;
    assertRange('JsonCodec', 'maxBytes', maxBytes, 1, 2 ** 29, true);
    assertProfile(profile);
    this.profile = profile;
    this.maxBytes = maxBytes;
    this.#reading = observe ? { now, observe: observeAll([observe]) } : { now };
  }

  /** @throws {EventError} `ENVELOPE_INVALID`, `PROFILE_FAILED`, `PAYLOAD_NOT_JSON`, `PAYLOAD_TOO_LARGE` */
  encode(event: EventEnvelope): Message {
    const body = this.write(event);
    const key = keyOf(event, this.profile);
    return { id: event.id, type: event.type, key, contentType: structuredContentType, body };
  }

  /** @throws {EventError} `MESSAGE_UNPARSEABLE`, `ENVELOPE_INVALID`, `ENVELOPE_CONFLICT`, `PROFILE_FAILED` */
  decode(message: Pick<Message, 'body' | 'contentType' | 'headers'>): EventEnvelope {
    const { body, contentType, headers } = message;
    assertContent(structuredContentType, contentType, headers);
    const wire = readBody(body, contentType, this.maxBytes, maxJsonDepth + 1);
    if (!isWireEvent(wire)) throw unparseable('the body is not a JSON object', { contentType });
    if (headers !== undefined) assertHeadersAgree(wire, headers);
    return this.read(wire);
  }

  /** Checks an event and writes it as JSON text. @throws As `encode`. */
  write(event: EventEnvelope): string {
    const { profile, maxBytes } = this;
    checkEnvelope(event, profile);
    assertJsonValues(event.data, event, maxBytes);
    const text = stringify(toWire(event, profile), event);
    // Nothing else needs this escape but control characters, U+0000 and halves of surrogate pairs.
    if (text.includes('\\u')) assertJson(event.data, event, maxBytes);
    // A UTF-16 unit takes at most three bytes, so most texts need not be counted.
    if (text.length * 3 > maxBytes) {
      const bytes = Buffer.byteLength(text);
      if (bytes > maxBytes) throw payloadTooLarge(event, bytes, maxBytes);
    }
    return text;
  }

  /** Reads an event from parsed JSON. @throws As `decode`. */
  read(wire: WireEvent): EventEnvelope {
    return fromWire(wire, this.profile, this.#reading);
  }
}

function stringify(wire: WireEvent, event: EventEnvelope): string {
  try {
    return JSON.stringify(wire);
  } catch (cause) {
    // Only what answers differently when it is read a second time gets here.
    throw new EventError(
      'PAYLOAD_NOT_JSON',
      `${eventLabel(event)}: data cannot be written as JSON`,
      { eventType: event.type, eventId: event.id, path: '' },
      { cause },
    );
  }
}
