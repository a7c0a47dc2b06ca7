import { ConsumerGroup } from '../src/consume/consumer-group.ts';
import type { ConsumerGroupOptions } from '../src/consume/consumer-group-options.ts';
import type { UnfinishedDelivery } from '../src/consume/delivery-processor.ts';
import type { EventEnvelope } from '../src/event/envelope.ts';
import { ManualClock } from '../src/memory/manual-clock.ts';
import { MemoryBroker } from '../src/memory/memory-broker.ts';
import { MemoryDatabase } from '../src/memory/memory-database.ts';
import { MemoryDeadLetterQueue } from '../src/memory/memory-dead-letter-queue.ts';
import { MemoryInbox } from '../src/memory/memory-inbox.ts';
import { MemoryTransport } from '../src/memory/memory-transport.ts';
import type { Deliver, Delivery } from '../src/transport/transport.ts';
import type { Message } from '../src/event/message.ts';
import { envelope } from './envelope.ts';
import { Observations } from './observations.ts';
import { tinyCodec } from './tiny-codec.ts';
import { settle, until } from './until.ts';

/** What an idle group waits for: dead letters to run again, what others have left, and its next sign of life. */
export const idleTimers = 3;

/** Everything that a group needs, in memory, on a clock that stands still. */
export class EngineBench {
  readonly clock: ManualClock = new ManualClock();
  readonly seen: Observations = new Observations();
  readonly broker: MemoryBroker = new MemoryBroker({ clock: this.clock });
  readonly database: MemoryDatabase = new MemoryDatabase();
  readonly deadLetters: MemoryDeadLetterQueue = new MemoryDeadLetterQueue(this.database, {
    clock: this.clock,
  });
  readonly inbox: MemoryInbox = new MemoryInbox(this.database, { clock: this.clock });
  readonly #groups: ConsumerGroup[] = [];
  #workers = 0;

  /** A worker of the group `graders`, on a connection of its own. */
  group(said: Partial<ConsumerGroupOptions> = {}): ConsumerGroup {
    this.#workers += 1;
    const made = new ConsumerGroup({
      transport: new MemoryTransport({ broker: this.broker }),
      codec: tinyCodec,
      group: 'graders',
      ...(said.group === null ? {} : { deadLetters: this.deadLetters }),
      transactions: this.database,
      inbox: this.inbox,
      clock: this.clock,
      observer: this.seen.observe,
      worker: `worker-${this.#workers}`,
      retry: { jitterFactor: 0 },
      ...said,
    });
    this.#groups.push(made);
    return made;
  }

  /** A transport of the same broker whose deliveries are handed on, and settled, through the given. */
  transportWith(said: {
    onSettle?: (id: string) => void;
    deliver?: (deliver: Deliver, delivery: Delivery) => void;
  }): MemoryTransport {
    const { onSettle, deliver: handOn = (deliver, delivery) => deliver(delivery) } = said;
    const transport = new MemoryTransport({ broker: this.broker });
    const subscribe = transport.subscribe.bind(transport);
    transport.subscribe = (subscription, deliver) =>
      subscribe(subscription, (delivery) =>
        handOn(deliver, {
          ...delivery,
          settle() {
            onSettle?.(delivery.message.id);
            delivery.settle();
          },
        }),
      );
    return transport;
  }

  /** Publishes events; each has the id, and the subject, that it is given by. */
  publish(...events: (Partial<EventEnvelope> & { id: string })[]): void {
    this.broker.append(
      events.map((said) => tinyCodec.encode(envelope({ subject: said.id, ...said }))),
    );
  }

  /** Publishes something as it is. */
  publishRaw(message: Partial<Message>): void {
    this.broker.append([
      {
        id: 'raw',
        type: 'item.graded',
        key: 'raw',
        contentType: 'text/plain',
        body: '',
        ...message,
      },
    ]);
  }

  /** How many messages are not settled yet, over all groups. */
  pending(): number {
    const { groups } = this.broker.inspect();
    return groups.reduce((sum, group) => sum + group.pending + group.lag, 0);
  }

  /** Waits until every message is settled in every group. */
  async settled(): Promise<void> {
    await until(() => this.pending() === 0, 'every message is settled');
  }

  /** Lets time pass until the deadline of a stop. */
  async stop(group: ConsumerGroup, deadlineMs: number = 0): Promise<readonly UnfinishedDelivery[]> {
    const stopped = group.stop({ deadlineMs });
    await settle();
    await this.clock.advance(deadlineMs);
    return await stopped;
  }

  /** Gives up every group that was made. */
  async end(): Promise<void> {
    await Promise.all(this.#groups.map((group) => this.stop(group)));
  }
}
