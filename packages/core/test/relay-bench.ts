import { ManualClock } from '../src/memory/manual-clock.ts';
import { MemoryDatabase } from '../src/memory/memory-database.ts';
import { MemoryOutbox } from '../src/memory/memory-outbox.ts';
import type { Outbox } from '../src/publish/outbox.ts';
import { Relay, type RelayOptions } from '../src/publish/relay.ts';
import { partitionOf } from '../src/partition.ts';
import type { Message } from '../src/event/message.ts';
import { accepted, type PublishOutcome } from '../src/transport/publish-outcome.ts';
import { envelope } from './envelope.ts';
import { Observations } from './observations.ts';
import { tinyCodec } from './tiny-codec.ts';
import { settle } from './until.ts';

/** What a relay publishes with; takes everything if it says nothing. */
export type TestPublish = (
  ...args: Parameters<RelayOptions['publish']>
) => Promise<readonly PublishOutcome[] | void>;

export interface RelayBenchOptions extends Partial<Omit<RelayOptions, 'publish'>> {
  publish?: TestPublish;
}

/** Where the relays of the bench relay to. */
export const destination = 'test';

/** An outbox, and relays that publish into a list, on a clock that stands still. */
export class RelayBench {
  readonly clock: ManualClock = new ManualClock();
  readonly seen: Observations = new Observations();
  readonly outbox: MemoryOutbox = new MemoryOutbox(new MemoryDatabase(), { clock: this.clock });
  /** Ids in the order in which they were published. */
  readonly published: string[] = [];
  readonly #relays: Relay[] = [];

  constructor() {
    this.hint(undefined);
  }

  /** How the outbox gives hints; not at all unless said, so that a relay has to find things by itself. */
  hint(listen: Outbox['listen']): void {
    Object.defineProperty(this.outbox, 'listen', { value: listen, configurable: true });
  }

  relay({ publish = this.#publish, ...said }: RelayBenchOptions = {}): Relay {
    const made = new Relay({
      outbox: this.outbox,
      destination,
      clock: this.clock,
      observer: this.seen.observe,
      publish: async (messages, options) =>
        (await publish(messages, options)) ?? messages.map(({ id }) => accepted(id)),
      ...said,
    });
    this.#relays.push(made);
    return made;
  }

  /** Commits messages of one key without telling any relay, as another process would. */
  async add(key: string, ...ids: string[]): Promise<void> {
    const messages = ids.map((id) => tinyCodec.encode(envelope({ id, subject: key })));
    await this.outbox.add(messages, { destination });
  }

  readonly #publish: TestPublish = async (messages) => void this.published.push(...idsOf(messages));

  async end(): Promise<void> {
    const stopped = this.#relays.map((relay) => relay.stop());
    await settle();
    await this.clock.advance(60_000);
    await Promise.all(stopped);
  }
}

/** Two keys in different partitions. */
export const [keyA, keyB]: readonly [string, string] = ['key-a', 'key-b'];
export const partitionA: number = partitionOf(keyA);
export const partitionB: number = partitionOf(keyB);

export const idsOf = (messages: readonly Message[]): string[] => messages.map(({ id }) => id);

/** A publish that waits to be let go, batch by batch. */
export function holdingPublish(): {
  begun: string[][];
  release: () => void;
  publish: (messages: readonly Message[]) => Promise<void>;
} {
  const begun: string[][] = [];
  const releases: (() => void)[] = [];
  return {
    begun,
    release: () => releases.shift()!(),
    async publish(messages: readonly Message[]) {
      begun.push(idsOf(messages));
      await new Promise<void>((resolve) => releases.push(resolve));
    },
  };
}
