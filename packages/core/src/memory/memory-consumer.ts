import { systemClock } from '../clock.ts';
import { ConsumerShell } from '../transport/consumer-shell.ts';
import type { Deliver, Subscription } from '../transport/transport.ts';
import type { TroubleSource } from '../transport/trouble-sources.ts';
import type { MemoryBroker } from './memory-broker.ts';
import { MemoryDelivery } from './memory-delivery.ts';
import type { MemoryEntry, MemoryGroup, MemoryTaker } from './memory-group.ts';

export interface MemoryConsumerOptions {
  readonly broker: MemoryBroker;
  readonly group: MemoryGroup;
  readonly subscription: Subscription;
  readonly deliver: Deliver;
  readonly transport: string;
  /** Called once, when the consumer has closed. */
  readonly onClose: (consumer: MemoryConsumer) => void;
}

/** A subscription to a `MemoryTransport`, which its group gives what it is ready for. */
export class MemoryConsumer extends ConsumerShell<MemoryDelivery> implements MemoryTaker {
  readonly #options: MemoryConsumerOptions;
  readonly #asking: TroubleSource = this.source();

  constructor(options: MemoryConsumerOptions) {
    super({ ...options, clock: systemClock, observe: () => {}, retryMs: 1 });
    this.#options = options;
    options.group.join(this);
    this.start();
  }

  get name(): string {
    return this.#options.subscription.worker;
  }

  get ready(): boolean {
    return !this.closing.aborted && !this.#options.broker.isAway && this.outlet.room > 0;
  }

  hand(entry: MemoryEntry): void {
    const { transport } = this.#options;
    this.outlet.add([new MemoryDelivery(entry, transport, (delivery) => this.#settle(delivery))]);
    this.outlet.handOut();
  }

  /** There is nothing to read: it only looks whether its broker is there. */
  protected override async run(): Promise<void> {
    const { broker } = this.#options;
    const unwatch = broker.watch(() => this.wake.call());
    await this.repeat({
      source: this.#asking,
      work: async () => {
        broker.assertReachable();
        return 'wait';
      },
    });
    unwatch();
  }

  protected override async end(): Promise<void> {
    const { group, onClose } = this.#options;
    group.leave(this);
    await super.end();
    onClose(this);
  }

  protected override onRoom(): void {
    this.#options.group.wake();
  }

  #settle(delivery: MemoryDelivery): void {
    if (this.outlet.settle(delivery)) this.#options.group.settle(delivery.entry);
  }
}
