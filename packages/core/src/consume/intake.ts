import type {
  Consumer,
  Deliver,
  Delivery,
  Subscription,
  Transport,
} from '../transport/transport.ts';
import type { TroubleReporter } from '../trouble.ts';

/** Where a group's deliveries come in: the transport's consumer, which may be paused even before there is one. */
export class Intake {
  readonly #deliver: Deliver;
  readonly #trouble: TroubleReporter;
  #consumer: Consumer | undefined;
  #paused = false;
  /** As it was changed since it was subscribed. */
  #maxInFlight: number | undefined;
  #held: Delivery[] = [];

  /** @param trouble Told when the consumer does not get on, and when it does again. */
  constructor(deliver: Deliver, trouble: TroubleReporter) {
    this.#deliver = deliver;
    this.#trouble = trouble;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Subscribes. @returns A promise that tells how the consumer ends. */
  async open(
    transport: Transport,
    subscription: Omit<Subscription, 'onTrouble'>,
  ): Promise<{ finished: Promise<void> }> {
    this.#maxInFlight = undefined;
    const consumer = await transport.subscribe(
      { ...subscription, onTrouble: (error) => this.#tell(error) },
      (delivery) => this.#take(delivery),
    );
    this.#consumer = consumer;
    // Neither could be told while it began.
    if (this.#maxInFlight !== undefined) consumer.setMaxInFlight(this.#maxInFlight);
    if (this.#paused) consumer.pause();
    return { finished: consumer.finished };
  }

  pause(): void {
    this.#paused = true;
    this.#consumer?.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const delivery of this.#held.splice(0)) this.#deliver(delivery);
    this.#consumer?.resume();
  }

  setMaxInFlight(maxInFlight: number): void {
    this.#maxInFlight = maxInFlight;
    this.#consumer?.setMaxInFlight(maxInFlight);
  }

  /** Closes the consumer, which gives back what is not settled. */
  async close(): Promise<void> {
    await this.#consumer?.close();
  }

  /** A group that was paused before its start hears from its consumer before that can be told. */
  #take(delivery: Delivery): void {
    if (this.#paused) this.#held.push(delivery);
    else this.#deliver(delivery);
  }

  #tell(error: unknown): void {
    if (error === undefined) this.#trouble.end();
    else this.#trouble.begin(error);
  }
}
