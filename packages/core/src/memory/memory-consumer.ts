import { systemClock } from '../clock.ts';
import { endsWithin } from '../ends-within.ts';
import { GrowingDelay } from '../growing-delay.ts';
import { ConsumerShell } from '../transport/consumer-shell.ts';
import { SettledBatch } from '../transport/settled-batch.ts';
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

/** Longest wait for what was settled and cannot be judged, in milliseconds. */
const longestWriteMs = 1_000;

/** A subscription to a `MemoryTransport`, which its group gives what it is ready for. */
export class MemoryConsumer extends ConsumerShell<MemoryDelivery> implements MemoryTaker {
  readonly #options: MemoryConsumerOptions;
  readonly #asking: TroubleSource = this.source();
  readonly #settling: TroubleSource = this.source();
  readonly #settled: SettledBatch<MemoryDelivery>;
  #writing: Promise<void> | undefined;
  #left = false;

  constructor(options: MemoryConsumerOptions) {
    super({ ...options, clock: systemClock, observe: () => {}, retryMs: 1 });
    this.#options = options;
    this.#settled = new SettledBatch(options.subscription.judgement);
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
    await endsWithin(systemClock, longestWriteMs, this.#writing ?? Promise.resolve());
    this.#left = true;
    group.leave(this);
    await super.end();
    onClose(this);
  }

  protected override onRoom(): void {
    this.#options.group.wake();
  }

  #settle(delivery: MemoryDelivery): void {
    if (!this.outlet.settle(delivery)) return;
    const version = this.#options.subscription.judgement?.version;
    if (!this.#writing && !this.#isOutdated(version)) {
      return this.#options.group.settle(delivery.entry);
    }
    this.#settled.add(delivery);
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
  }

  /** Tells the group what is settled, which it takes under the registry as it is only. */
  async #write(): Promise<void> {
    const delay = new GrowingDelay({ firstMs: 1, maxMs: 100 });
    for (let refused: string | undefined; this.#settled.size > 0 && !this.#left;) {
      const batch = this.#settled.list();
      try {
        const version = await this.#settled.judge(batch, refused);
        refused = this.#isOutdated(version) ? version : undefined;
        this.#settling.gotOn();
        if (refused === undefined) this.#finish(batch);
        // Whoever judges by a registry that is never the same must not keep the process from all else.
        else await systemClock.sleep(delay.next());
      } catch (error) {
        this.failed(error, this.#settling);
        await systemClock.sleep(delay.next());
      }
    }
  }

  #isOutdated(version: string | undefined): boolean {
    const { broker, subscription } = this.#options;
    if (version === undefined || subscription.group === null) return false;
    return broker.registry.versionOf(subscription.group) !== version;
  }

  #finish(batch: readonly MemoryDelivery[]): void {
    for (const { entry } of batch) this.#options.group.settle(entry);
    this.#settled.remove(batch);
  }
}
