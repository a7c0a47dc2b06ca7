import type { EventEnvelope } from './envelope.ts';
import type { Message } from './message.ts';

/** Turns envelopes into messages and back; one per wire format. */
export interface Codec {
  /** @throws {EventError} `ENVELOPE_INVALID`, `PAYLOAD_NOT_JSON`, `PAYLOAD_TOO_LARGE` */
  encode(event: EventEnvelope): Message;
  /** @throws {EventError} `MESSAGE_UNPARSEABLE`, `ENVELOPE_INVALID`, `ENVELOPE_CONFLICT` */
  decode(message: Pick<Message, 'body' | 'contentType' | 'headers'>): EventEnvelope;
}
