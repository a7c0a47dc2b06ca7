import { EventError } from '@waybill/core';
import type { Clock, Observer } from '@waybill/core';
import type { ConsumerShell, TroubleSource } from '@waybill/core/adapter';

import type { LogDelivery } from './log-delivery.ts';
import type { Loss } from './log-memory.ts';
import { logStream, logTransport, positionOf } from './log-tables.ts';

/**
 * Says that the database is older than what this process has seen of it.
 *
 * @param group `undefined` for a broadcast.
 * @returns The same, for the health of whoever reads.
 */
export function reportLosses(
  observe: Observer,
  group: string | undefined,
  losses: readonly Loss[],
): EventError<'CURSOR_FOREIGN'> {
  const { partition, from, until } = losses[0]!;
  const who = group === undefined ? 'a broadcast' : `group ${group}`;
  const message = `the database went back under ${who}: an older state was put back, or it was emptied (partition ${partition} at ${from}, known up to ${until}, and ${losses.length - 1} more); ${
    group === undefined
      ? 'it goes on with what was appended since'
      : 'the group goes on where that state says, so events may come again, and those that are gone do not come'
  }`;
  observe({ kind: 'warning', code: 'LOG_RESTORED', message });
  for (const loss of losses) observeLoss(observe, group, loss);
  return new EventError('CURSOR_FOREIGN', message, { cursor: positionOf(partition, until) });
}

function observeLoss(
  observe: Observer,
  group: string | undefined,
  { partition, from, until }: Loss,
): void {
  if (from === until) return;
  observe({
    kind: 'lost',
    transport: logTransport,
    stream: logStream,
    group,
    reason: 'broker-lost-data',
    after: positionOf(partition, from - 1n),
    until: positionOf(partition, until - 1n),
  });
}

/** How long the health says that the database went back, in milliseconds: nobody looks at it all the time. */
const saidForMs = 60_000;

/** Keeps it in the health of a consumer for a while that the database went back. */
export class RestoredTrouble {
  readonly #consumer: ConsumerShell<LogDelivery>;
  readonly #source: TroubleSource;
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;

  constructor(consumer: ConsumerShell<LogDelivery>, clock: Clock) {
    this.#consumer = consumer;
    this.#source = consumer.source();
    this.#clock = clock;
  }

  begin(error: EventError): void {
    this.#consumer.failed(error, this.#source);
    this.#cancel?.();
    this.#cancel = this.#clock.schedule(saidForMs, () => this.#source.gotOn());
  }

  /** Says nothing any more: the consumer ends. */
  end(): void {
    this.#cancel?.();
  }
}
