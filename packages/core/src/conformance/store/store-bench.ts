import assert from 'node:assert/strict';

import { systemClock } from '../../clock.ts';
import { randomIds } from '../../ids.ts';
import type { EventEnvelope } from '../../event/envelope.ts';
import type { TransactionRunner } from '../../transaction.ts';
import type { Message } from '../../event/message.ts';
import { waitUntil } from '../wait-until.ts';

/** What a store can do with transactions; proven by its suite. */
export interface StoreCapabilities {
  /** Calls join a transaction. */
  readonly transactions: boolean;
  /** More than one transaction can be open at once; an embedded database has one connection. */
  readonly concurrentTransactions: boolean;
  /** Transactions say which database they are on. */
  readonly identity?: boolean;
}

/** A store that a case works on. */
export interface StoreSubject<Store> {
  readonly store: Store;
  /** Begins transactions that the store can join; needed where `transactions` is claimed. */
  readonly transactions?: TransactionRunner;
  /** Another instance over the same rows, as another process would have it; needed where `reopens` is claimed. */
  reopen?(): Store | Promise<Store>;
  /** Ends every connection of `transactions`, as an operator or a network would; needed where `cuts` is claimed. */
  cut?(): Promise<void>;
  /** Moves the store's own clock; unless given, the suite waits. */
  passTime?(ms: number): Promise<void>;
  /** Takes down what `create` put up. */
  cleanup?(): Promise<void>;
}

export interface StoreConformanceOptions<Store> {
  readonly capabilities: StoreCapabilities;
  /** Called for each case, and twice for some: an empty store, apart from every other in use. */
  create(): Promise<StoreSubject<Store>>;
  /** Subjects can be opened a second time (`reopen`). */
  readonly reopens?: boolean;
  /** Subjects can have their connections ended (`cut`). */
  readonly cuts?: boolean;
  /** Longest wait for something that should happen, in milliseconds; 10,000 unless given. */
  readonly timeoutMs?: number;
}

export type StoreCase<Store> = (bench: StoreBench<Store>) => Promise<void>;

/** Makes the body of a test out of a case. */
export function onStore<Store>(
  options: StoreConformanceOptions<Store>,
): (body: StoreCase<Store>) => () => Promise<void> {
  return (body) => async () => {
    const subjects: StoreSubject<Store>[] = [];
    const create = async (): Promise<StoreSubject<Store>> => {
      const subject = await options.create();
      subjects.push(subject);
      return subject;
    };
    try {
      await body(new StoreBench(await create(), create, options));
    } finally {
      for (const subject of subjects) await subject.cleanup?.();
    }
  };
}

/** The store of one case, and what is made for it. */
export class StoreBench<Store> {
  readonly store: Store;
  readonly #subject: StoreSubject<Store>;
  readonly #create: () => Promise<StoreSubject<Store>>;
  readonly #timeoutMs: number;

  constructor(
    subject: StoreSubject<Store>,
    create: () => Promise<StoreSubject<Store>>,
    { timeoutMs = 10_000 }: { readonly timeoutMs?: number },
  ) {
    this.store = subject.store;
    this.#subject = subject;
    this.#create = create;
    this.#timeoutMs = timeoutMs;
  }

  get transactions(): TransactionRunner {
    const { transactions } = this.#subject;
    assert.ok(transactions, 'create() must offer transactions where the store claims to join them');
    return transactions;
  }

  /** Another instance over the same rows. */
  async reopen(): Promise<Store> {
    assert.ok(this.#subject.reopen, 'create() must offer reopen where the adapter claims it');
    return await this.#subject.reopen();
  }

  /** Ends every connection of the transactions from outside. */
  async cut(): Promise<void> {
    assert.ok(this.#subject.cut, 'create() must offer cut where the adapter claims it');
    await this.#subject.cut();
  }

  /** Another store that knows nothing of this one. */
  async another(): Promise<Store> {
    const { store } = await this.#create();
    return store;
  }

  async passTime(ms: number): Promise<void> {
    await (this.#subject.passTime?.(ms) ?? systemClock.sleep(ms));
  }

  async until(condition: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
    await waitUntil(condition, { timeoutMs: this.#timeoutMs, what });
  }

  /** Does something in a transaction that is rolled back afterwards. */
  async rolledBack(work: (tx: object) => Promise<unknown>): Promise<void> {
    const reason = new Error('rolled back on purpose');
    const running = this.transactions.run(async (tx) => {
      await work(tx);
      throw reason;
    });
    await assert.rejects(
      running,
      (error) => error === reason,
      'run() rejects with what was thrown',
    );
  }

  /** An event, with whatever matters to the case. */
  event(given: Partial<EventEnvelope> = {}): EventEnvelope {
    return {
      id: randomIds(),
      source: 'order-service',
      specversion: '1.0',
      type: 'order.placed',
      datacontenttype: 'application/json',
      time: '2026-03-01T12:00:00.000Z',
      subject: 'order-1',
      version: 1,
      data: { total: 12.5 },
      ...given,
    };
  }

  /** A message, with whatever matters to the case. */
  message(given: Partial<Message> = {}): Message {
    return {
      id: randomIds(),
      type: 'order.placed',
      key: 'order-1',
      contentType: 'application/cloudevents+json',
      body: '{"total":12.5}',
      ...given,
    };
  }
}
