import type { Consumer, Deliver } from '../transport/transport.ts';
import type { MemoryEntry, MemoryGroup, MemoryTaker } from './memory-group.ts';

export interface MemoryConsumerOptions {
  readonly group: MemoryGroup;
  readonly worker: string;
  readonly maxInFlight: number;
  readonly deliver: Deliver;
  readonly transport: string;
  /** Called once, when the consumer has closed. */
  readonly onClose: (consumer: MemoryConsumer) => void;
}

/** A subscription to a `MemoryTransport`. */
export class MemoryConsumer implements Consumer, MemoryTaker {
  readonly finished: Promise<void>;
  readonly #options: MemoryConsumerOptions;
  readonly #unsettled = new Map<MemoryEntry, AbortController>();
  readonly #finish: () => void;
  #maxInFlight: number;
  #paused = false;
  #closed = false;

  constructor(options: MemoryConsumerOptions) {
    this.#options = options;
    this.#maxInFlight = options.maxInFlight;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
    options.group.join(this);
  }

  get name(): string {
    return this.#options.worker;
  }

  get unsettled(): number {
    return this.#unsettled.size;
  }

  get ready(): boolean {
    return !this.#closed && !this.#paused && this.#unsettled.size < this.#maxInFlight;
  }

  hand(entry: MemoryEntry): void {
    const controller = new AbortController();
    this.#unsettled.set(entry, controller);
    const { message, index, deliveryCount } = entry;
    this.#options.deliver({
      message,
      coordinates: {
        transport: this.#options.transport,
        stream: 'memory',
        position: String(index),
      },
      mayBeRepeated: deliveryCount > 1,
      deliveryCount,
      signal: controller.signal,
      settle: () => this.#settle(entry),
    });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#options.group.wake();
  }

  setMaxInFlight(maxInFlight: number): void {
    this.#maxInFlight = maxInFlight;
    this.#options.group.wake();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const unsettled = [...this.#unsettled];
    this.#unsettled.clear();
    const { group, onClose } = this.#options;
    group.leave(
      this,
      unsettled.map(([entry]) => entry),
    );
    for (const [, controller] of unsettled) controller.abort();
    onClose(this);
    this.#finish();
  }

  /** Only what it still holds: neither a second call nor one after `close` finds the entry. */
  #settle(entry: MemoryEntry): void {
    if (this.#unsettled.delete(entry)) this.#options.group.settle(entry);
  }
}
