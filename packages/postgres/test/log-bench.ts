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
  readonly consumer: Consumer;

  private constructor(consumer: Consumer, deliveries: Delivery[]) {
    this.consumer = consumer;
    this.deliveries = deliveries;
  }

  static async subscribe(
    transport: PostgresLogTransport,
    group: string | null,
    given: Partial<Subscription> & { settle?: boolean } = {},
  ): Promise<LogProbe> {
    const deliveries: Delivery[] = [];
    const { settle = false, ...subscription } = given;
    const consumer = await transport.subscribe(
      {
        group,
        patterns: ['*'],
        start: 'earliest',
        maxInFlight: 100,
        worker: `worker-${randomBytes(3).toString('hex')}`,
        ...subscription,
      },
      (delivery) => {
        deliveries.push(delivery);
        if (settle) delivery.settle();
      },
    );
    return new LogProbe(consumer, deliveries);
  }

  get ids(): string[] {
    return this.deliveries.map(({ message: { id } }) => id);
  }

  /** Ids with how often each was delivered, this time included. */
  get counts(): [string, number | undefined][] {
    return this.deliveries.map(({ message: { id }, deliveryCount }) => [id, deliveryCount]);
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
