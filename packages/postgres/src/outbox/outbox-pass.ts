import { EventError } from '@waybill/core';
import type { Clock, PublishOutcome } from '@waybill/core';
import type { DrainOutcome, DrainPass, Message, Publish } from '@waybill/core/adapter';

import type { SqlQueryable } from '../client/sql-client.ts';
import type { OutboxRefusals, Refusal } from './outbox-refusals.ts';
import type { OldestBatch, OutboxBatch, OutboxRows, PartState, ScanStart } from './outbox-rows.ts';

/** What a pass did. */
export interface Drained {
  readonly outcome: DrainOutcome;
  readonly batch: OutboxBatch;
  /** True if no key was held back before it or is since. */
  readonly clean: boolean;
}

const nothing = { status: 'drained', published: 0, refused: [] } as const;

/** Rows to forget, and of each key the first row that was not taken. */
function sortOut(
  { ids, messages }: OutboxBatch,
  outcomes: readonly PublishOutcome[],
): { accepted: bigint[]; refused: (Refusal & { readonly message: Message })[] } {
  const accepted: bigint[] = [];
  const refused = new Map<string, Refusal & { readonly message: Message }>();
  for (const [index, message] of messages.entries()) {
    const outcome = outcomes[index]!;
    const id = ids[index]!;
    if (outcome.status === 'accepted') accepted.push(id);
    else if (!refused.has(message.key)) {
      refused.set(message.key, { id, message, error: outcome.error });
    }
  }
  return { accepted, refused: [...refused.values()] };
}

/** Publishes the oldest rows of a partition that is held, and notes what became of them. */
export class OutboxPass {
  readonly #rows: OutboxRows;
  readonly #refusals: OutboxRefusals;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  /** @param options.timeoutMs How long a publish may take. */
  constructor(options: {
    rows: OutboxRows;
    refusals: OutboxRefusals;
    clock: Clock;
    timeoutMs: number;
  }) {
    this.#rows = options.rows;
    this.#refusals = options.refusals;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
  }

  async drain(
    db: SqlQueryable,
    part: DrainPass & ScanStart,
    { holds, adopts }: PartState,
    publish: Publish,
  ): Promise<Drained> {
    if (adopts) await this.#rows.adopt(db, part);
    const { due, stale, ...batch } = await this.#batch(db, part, holds);
    if (batch.ids.length === 0) {
      return { outcome: { ...nothing, more: stale }, batch, clean: !holds && !stale };
    }
    const outcomes = await this.#publishInTime(batch.messages, publish);
    const { accepted, refused } = sortOut(batch, outcomes);
    if (accepted.length > 0) await this.#rows.forget(db, part, accepted);
    if (refused.length > 0) await this.#refusals.note(db, part, refused);
    return {
      outcome: {
        status: 'drained',
        published: accepted.length,
        refused: refused.map(({ message, error }) => ({ message, error })),
        // What waited behind a message that was taken at last can follow.
        more: stale || batch.full || accepted.some((id) => due.includes(id)),
      },
      batch,
      clean: !holds && !stale && refused.length === 0,
    };
  }

  /** Where keys are held back, first what is due of them, then what lies around them. */
  async #batch(
    db: SqlQueryable,
    part: DrainPass & ScanStart,
    holds: boolean,
  ): Promise<OldestBatch & { readonly due: readonly bigint[] }> {
    const { limit } = part;
    if (!holds) {
      return { ...(await this.#rows.oldest(db, part, { limit, around: false })), due: [] };
    }
    await this.#refusals.putBack(db, part);
    const due = await this.#refusals.due(db, part, limit);
    if (due.full) return { ...due, due: due.ids, stale: false };
    const rest = { limit: limit - due.ids.length, around: true };
    const around = await this.#rows.oldest(db, part, rest);
    return {
      ids: [...due.ids, ...around.ids],
      messages: [...due.messages, ...around.messages],
      full: around.full,
      due: due.ids,
      stale: around.stale,
    };
  }

  async #publishInTime(
    messages: readonly Message[],
    publish: Publish,
  ): Promise<readonly PublishOutcome[]> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = this.#clock.schedule(this.#timeoutMs, () =>
      reject(publishTooSlow(messages.length, this.#timeoutMs)),
    );
    try {
      return await Promise.race([publish(messages), late]);
    } finally {
      cancel();
    }
  }
}

function publishTooSlow(count: number, timeoutMs: number): EventError {
  return new EventError(
    'TRANSPORT_UNAVAILABLE',
    `publishing ${count} messages from the outbox took longer than ${timeoutMs} ms; they stay there and are tried again`,
    { transport: 'unknown' },
  );
}
