import type { EventEnvelope } from '../envelope.ts';
import { EventError, isEventError } from '../../errors.ts';
import { maxJsonDepth } from '../json-safety.ts';
import { assertRange } from '../../options.ts';
import type { Message } from '../message.ts';
import { assertContent, batchContentType } from './content-type.ts';
import { JsonCodec, type JsonCodecOptions } from './json-codec.ts';
import { isWireEvent, readBody } from './message-body.ts';
import { unparseable } from './unparseable.ts';

export interface JsonBatchCodecOptions extends JsonCodecOptions {
  /** The largest batch that is read, in bytes; 16 MiB unless given. */
  maxBatchBytes?: number;
}

/** Several CloudEvents in one JSON array. */
export class JsonBatchCodec {
  readonly #codec: JsonCodec;
  readonly #maxBatchBytes: number;

  /** @throws {TypeError} If an option is unknown or out of range. */
  constructor(options: JsonBatchCodecOptions = {}) {
    const { maxBatchBytes = 2 ** 24, ...codec } = options;
    assertRange('JsonBatchCodec', 'maxBatchBytes', maxBatchBytes, 1, 2 ** 29, true);
    this.#codec = new JsonCodec(codec);
    this.#maxBatchBytes = maxBatchBytes;
  }

  /** @throws {EventError} As `JsonCodec.encode`, for the first event that cannot be written. */
  encodeBatch(events: readonly EventEnvelope[]): { contentType: string; body: string } {
    const body = `[${events.map((event) => this.#codec.write(event)).join(',')}]`;
    return { contentType: batchContentType, body };
  }

  /**
   * Reads all events or none.
   *
   * @throws {EventError} As `JsonCodec.decode`; the message says which event of the batch it is.
   */
  decodeBatch(message: Pick<Message, 'body' | 'contentType' | 'headers'>): EventEnvelope[] {
    const { body, contentType, headers } = message;
    assertContent(batchContentType, contentType, headers);
    const wires = readBody(body, contentType, this.#maxBatchBytes, maxJsonDepth + 2);
    if (!Array.isArray(wires)) throw unparseable('the body is not a JSON array', { contentType });
    return wires.map((wire, index) => this.#read(wire, index));
  }

  #read(wire: unknown, index: number): EventEnvelope {
    const place = `event ${index + 1} of the batch`;
    if (!isWireEvent(wire)) throw unparseable(`${place} is not a JSON object`);
    try {
      return this.#codec.read(wire);
    } catch (cause) {
      if (!isEventError(cause)) throw cause;
      const reason = cause.message.slice(cause.code.length + 2);
      throw new EventError(cause.code, `${place}: ${reason}`, cause.details, { cause });
    }
  }
}
