import type { Codec } from '../src/event/codec.ts';
import { plainProfile, type EventEnvelope } from '../src/event/envelope.ts';
import { keyOf } from '../src/event/ordering-key.ts';
import { EventError } from '../src/errors.ts';

/** The least that is a codec, so that the engine is tested without a wire format. */
export const tinyCodec: Codec = {
  encode(event) {
    return {
      id: event.id,
      type: event.type,
      key: keyOf(event, plainProfile),
      contentType: 'application/json',
      body: textOf(event),
    };
  },
  decode({ body, contentType }) {
    try {
      return JSON.parse(String(body)) as EventEnvelope;
    } catch (cause) {
      throw new EventError('MESSAGE_UNPARSEABLE', 'not JSON', { contentType }, { cause });
    }
  },
};

function textOf(event: EventEnvelope): string {
  try {
    return JSON.stringify(event);
  } catch (cause) {
    const details = { eventType: event.type, eventId: event.id, path: '' };
    throw new EventError('PAYLOAD_NOT_JSON', `${event.type} ${event.id}`, details, { cause });
  }
}
