import { randomBytes } from 'node:crypto';

import type { Observation } from '@waybill/core';
import type { Consumer, Delivery, Message, Subscription } from '@waybill/core/adapter';
import { vi } from 'vitest';

import { PostgresLogTransport } from '../src/log/log-transport.ts';
import type { PostgresLogTransportOptions } from '../src/log/log-transport-options.ts';

/** Long enough for a slow machine; every wait ends as soon as its condition holds. */
export const waiting = { timeout: 15_000, interval: 5 };

let numbered = 0;

/** A message with a number in its id, so that order can be told. */
export function message(key = 'order-1', given: Partial<Message> = {}): Message {
  numbered += 1;
  const id = `event-${String(numbered).padStart(6, '0')}`;
  return { id, type: 'order.placed', key, contentType: 'application/json', body: '{}', ...given };
}

/** A connected transport that remembers what it observed. */
export async function connectLog(
  options: Omit<PostgresLogTransportOptions, 'observer'>,
): Promise<{ transport: PostgresLogTransport; observed: Observation[] }> {
  const observed: Observation[] = [];
  const transport = new PostgresLogTransport({
    standbyMs: 20,
    commitEveryMs: 5,
    ...options,
    observer: (observation) => void observed.push(observation),
  });
  await transport.connect();
  return { transport, observed };
}

/** A consumer, and everything that it was handed. */
export class LogProbe {
  readonly deliveries: Delivery[] = [];
  /** What the consumer said of its troubles: an error for each, `undefined` for each end. */
  readonly troubles: unknown[] = [];
  consumer!: Consumer;

  private constructor() {}

  static async subscribe(
    transport: PostgresLogTransport,
    group: string | null,
    given: Partial<Subscription> & { settle?: boolean } = {},
  ): Promise<LogProbe> {
    const probe = new LogProbe();
    const { settle = false, ...subscription } = given;
    probe.consumer = await transport.subscribe(
      {
        group,
        patterns: ['*'],
        start: 'earliest',
        maxInFlight: 100,
        worker: `worker-${randomBytes(3).toString('hex')}`,
        onTrouble: (error) => void probe.troubles.push(error),
        ...subscription,
      },
      (delivery) => {
        probe.deliveries.push(delivery);
        if (settle) delivery.settle();
      },
    );
    return probe;
  }

  get ids(): string[] {
    return this.deliveries.map(({ message: { id } }) => id);
  }

  /** Ids with how often each was delivered, this time included. */
  get counts(): [string, number | undefined][] {
    return this.deliveries.map(({ message: { id }, deliveryCount }) => [id, deliveryCount]);
  }

  /** Waits until it is in trouble with such an error, or in none. */
  async inTrouble(code: string | undefined): Promise<unknown> {
    return await vi.waitFor(() => {
      const last = this.troubles.at(-1) as { code?: string } | undefined;
      if (last?.code !== code) throw new Error(`waited for ${code}, is in ${last?.code}`);
      return last;
    }, waiting);
  }

  async received(count: number): Promise<Delivery[]> {
    await vi.waitFor(() => {
      if (this.deliveries.length < count) {
        throw new Error(`waited for ${count} deliveries; ${this.deliveries.length} came`);
      }
    }, waiting);
    return this.deliveries;
  }
}
