import assert from 'node:assert/strict';

import type {
  GroupRegistry,
  HandlerSet,
  RegisteredHandler,
  RegistryCopy,
} from '../../transport/group-registry.ts';
import type { Delivery, Judgement, Transport } from '../../transport/transport.ts';
import type { TransportBench } from './transport-bench.ts';
import type { TransportProbe } from './transport-probe.ts';

export type IdentifiedSet = HandlerSet & { readonly id: string };

/** A handler as an instance registers it. */
export function registeredHandler(
  name: string,
  given: Partial<RegisteredHandler> = {},
): RegisteredHandler {
  return { name, patterns: ['item.graded'], derived: false, formerly: [], ...given };
}

/** What an instance of a service handles, with whatever matters to the case. */
export function handlerSet(id: string, given: Partial<HandlerSet> = {}): IdentifiedSet {
  const handlers = [registeredHandler(`handler ${id}`)];
  return { id, service: 'grader', handlers, versions: {}, sharedBy: null, ...given };
}

/** The registry of a transport that claims one. */
export function registryOf({ registry }: Transport): GroupRegistry {
  assert.ok(registry, 'a transport must offer a registry where it claims one');
  return registry;
}

/** Ids of the sets in a copy, sorted. */
export function idsIn({ sets }: RegistryCopy): string[] {
  return sets.map(({ id }) => id).toSorted();
}

/** One instance of a group, which judges by the registry, and another one, which changes that. */
export class RegisteredGroup implements Judgement {
  readonly group: string;
  /** The instance that consumes. */
  readonly transport: Transport;
  version = '';
  /** What was asked to be judged anew, call by call. */
  readonly asked: (readonly Delivery[])[] = [];
  /** What happens at each call; answers the version under which the deliveries may be settled. */
  answer: (call: number) => Promise<string> = () => this.read();
  readonly #bench: TransportBench;
  readonly #other: Transport;
  #changes = 0;

  private constructor(bench: TransportBench, group: string, own: Transport, other: Transport) {
    this.#bench = bench;
    this.group = group;
    this.transport = own;
    this.#other = other;
  }

  /** Makes the two, of which the first is registered. */
  static async open(bench: TransportBench, name: string): Promise<RegisteredGroup> {
    const [own, other] = [await bench.open(), await bench.open()];
    const made = new RegisteredGroup(bench, bench.group(name), own, other);
    const copy = await registryOf(own).register(made.group, handlerSet('own'), 'worker-own');
    made.version = copy.version;
    return made;
  }

  async renew(settled: readonly Delivery[]): Promise<string> {
    this.asked.push([...settled]);
    this.version = await this.answer(this.asked.length);
    return this.version;
  }

  /** The version that the registry has now. */
  async read(): Promise<string> {
    return (await registryOf(this.#other).read(this.group)).version;
  }

  /** Ids of all that was asked to be judged anew, in the order of the calls. */
  get askedIds(): string[] {
    return this.asked.flat().map(({ message }) => message.id);
  }

  /** Another instance registers handlers that nobody has had yet. */
  async change(): Promise<void> {
    this.#changes += 1;
    const set = handlerSet(`other ${this.#changes}`);
    await registryOf(this.#other).register(this.group, set, 'worker-other');
  }

  /** A consumer whose deliveries this instance judges. */
  subscribe(settle: 'at once' | 'by hand' = 'by hand'): Promise<TransportProbe> {
    const { group, transport } = this;
    return this.#bench.subscribe(transport, { group, settle, judgement: this });
  }

  /** The next consumer of the group, which judges by the registry as it is. */
  async next(): Promise<TransportProbe> {
    const { group } = this;
    const version = await this.read();
    const judgement: Judgement = { version, renew: () => this.read() };
    return await this.#bench.subscribe(this.#other, { group, settle: 'at once', judgement });
  }

  /** How many messages the group has not finished, as far as the broker knows. */
  async unfinished(): Promise<number> {
    const { pending, lag } = await this.#bench.inspectGroup(this.#other, this.group);
    return pending + lag;
  }

  /** Waits until the group has so many messages left. */
  async finishesUpTo(count: number): Promise<void> {
    let left = Number.NaN;
    await this.#bench.until(
      async () => (left = await this.unfinished()) === count,
      () => `${count} unfinished messages; there are ${left}`,
    );
  }

  /** Waits until something was asked `count` times in all. */
  async isAsked(count = 1): Promise<void> {
    await this.#bench.until(
      () => this.asked.length >= count,
      () => `${count} calls of renew; ${this.asked.length} came`,
    );
  }
}

/** Something that is awaited until the case opens it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
