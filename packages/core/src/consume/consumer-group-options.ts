import type { Catalogue } from '../event/catalogue.ts';
import { maxTimerMs, type Clock } from '../clock.ts';
import type { Codec } from '../event/codec.ts';
import type { DeadLetterSink } from './dead-letter-sink.ts';
import { EventError } from '../errors.ts';
import { assertGroupStart } from '../transport/group-start.ts';
import type { Middleware } from './handler.ts';
import type { HandoverQueue } from '../transport/handover-queue.ts';
import type { Ids } from '../ids.ts';
import type { Inbox } from './inbox.ts';
import type { Logger, Observer, WarningCode } from '../observer.ts';
import type { Pruner } from './pruner.ts';
import { assertKnownOptions, assertName, assertRange, type OptionNames } from '../options.ts';
import {
  assertRetryPolicy,
  defaultRetryPolicy,
  mergeRetryPolicy,
  type RetryPolicy,
} from '../retry/retry-policy.ts';
import type { TransactionRunner } from '../transaction.ts';
import type { GroupStart, Transport } from '../transport/transport.ts';

export interface ConsumerGroupOptions {
  transport: Transport;
  codec: Codec;
  /** Name of the group; `null` for a broadcast subscription, where every instance gets everything. */
  group: string | null;
  /**
   * Where dead letters go; needed by every group, refused for broadcast. Only a `DeadLetterQueue` runs
   * them again: a group whose sink is none records what failed and never looks for redrives.
   */
  deadLetters?: DeadLetterSink;
  /**
   * Where events go that another instance of the group has a handler for, until that one has handled them; the
   * transport's own unless given. Without any, or on a transport that keeps no registry, they are settled
   * unhandled, with a warning.
   */
  handovers?: HandoverQueue;
  /**
   * Name of the service, which tells its instances from those of another one in the same group; that of the bus
   * unless given.
   */
  service?: string;
  /** Waited for before the group begins: one of its name that still ends in this process. */
  predecessor?: Promise<unknown>;
  /** How often to tell the group's registry that this instance is there, in milliseconds; 10,000 unless given. */
  registryEveryMs?: number;
  /** Needed by handlers with `{ inbox: true }`. */
  transactions?: TransactionRunner;
  inbox?: Inbox;
  /** Deletes what the group no longer needs while it runs; nobody does unless given. */
  pruner?: Pruner;
  /** Brings events of an older version up to date. */
  catalogue?: Catalogue;
  /**
   * Where a new group begins: with everything kept (default), with what is published from now on, or
   * with what the broker accepted at this time or later. A group that exists goes on where it stood.
   */
  start?: GroupStart;
  /** Most keys handled side by side, 1 to 10,000; 10 unless given. */
  concurrency?: number;
  /** Most messages taken from the transport and not finished; ten times the concurrency unless given. */
  maxInFlight?: number;
  retry?: Partial<RetryPolicy>;
  /**
   * When so many different keys of a handler have failed in a row with errors that are worth a retry, it is an
   * outage: its events wait, one at a time is tried, and none becomes a dead letter for it; 5 unless given,
   * `Infinity` for never.
   */
  outageAfterKeys?: number;
  /** Longest run of one attempt in milliseconds; 30,000 unless given. */
  timeoutMs?: number;
  /** After this many deliveries that nobody finished, a message is a dead letter; 5 unless given. */
  maxDeliveries?: number;
  /** A handler that takes longer than this is named once, in milliseconds; 10,000 unless given. */
  slowMs?: number;
  /** How often to look for dead letters that an operator wants run again, in milliseconds; 1,000 unless given. */
  redrivePollMs?: number;
  /** How long a redrive may be silent before another worker takes it, in milliseconds; 60,000 unless given. */
  redriveLeaseMs?: number;
  middleware?: readonly Middleware[];
  /** Warnings that are meant to be so. */
  silence?: readonly WarningCode[];
  /** Wildcards are worth a warning there; unless given, whether `NODE_ENV` is `production`. */
  production?: boolean;
  worker?: string;
  observer?: Observer;
  logger?: Logger;
  clock?: Clock;
  ids?: Ids;
  random?: () => number;
}

/** What a consumer of a bus may choose; the bus knows the rest. */
export type ConsumerChoices = Omit<
  ConsumerGroupOptions,
  'transport' | 'codec' | 'group' | 'deadLetters' | 'predecessor'
> &
  Partial<Pick<ConsumerGroupOptions, 'deadLetters'>>;

/** What a broadcast has no use for: it remembers nothing, always begins now, and is no member of a group. */
const notForBroadcasts: ReadonlySet<string> = new Set<keyof ConsumerChoices>([
  'deadLetters',
  'handovers',
  'registryEveryMs',
  'transactions',
  'inbox',
  'pruner',
  'start',
  'worker',
  'outageAfterKeys',
  'redrivePollMs',
  'redriveLeaseMs',
]);

/** What a broadcast is told of the choices for a group: everything that it has a use for. */
export function broadcastChoices(choices: ConsumerChoices): ConsumerChoices {
  return Object.fromEntries(
    Object.entries(choices).filter(([name]) => !notForBroadcasts.has(name)),
  );
}

/** The names of all options, for those who take some of them. */
export const consumerGroupOptions: OptionNames<ConsumerGroupOptions> = {
  transport: true,
  codec: true,
  group: true,
  deadLetters: true,
  handovers: true,
  service: true,
  predecessor: true,
  registryEveryMs: true,
  transactions: true,
  inbox: true,
  pruner: true,
  catalogue: true,
  start: true,
  concurrency: true,
  maxInFlight: true,
  retry: true,
  outageAfterKeys: true,
  timeoutMs: true,
  maxDeliveries: true,
  slowMs: true,
  redrivePollMs: true,
  redriveLeaseMs: true,
  middleware: true,
  silence: true,
  production: true,
  worker: true,
  observer: true,
  logger: true,
  clock: true,
  ids: true,
  random: true,
};

const dayMs = 86_400_000;
/** Option, smallest and largest value, and whether it is a whole number. */
const ranges = [
  ['concurrency', 1, 10_000, true],
  ['maxInFlight', 1, 1_000_000, true],
  ['outageAfterKeys', 1, Number.POSITIVE_INFINITY, false],
  ['timeoutMs', 1, maxTimerMs, false],
  ['maxDeliveries', 1, 1_000, true],
  ['slowMs', 0, Number.POSITIVE_INFINITY, false],
  ['redrivePollMs', 1, dayMs, false],
  ['redriveLeaseMs', 10, dayMs, false],
  ['registryEveryMs', 10, dayMs, false],
] as const;

/** @throws {TypeError} If an option is not known, out of range, or one that it needs is missing. */
export function assertConsumerGroupOptions(options: ConsumerGroupOptions): void {
  const where = `group ${options.group ?? '(broadcast)'}`;
  const { group, deadLetters } = options;
  if (group !== null) assertName('a group name', group);
  assertChoices(where, options);
  if (group !== null && !deadLetters)
    throw new TypeError(`${where} needs deadLetters: nothing is dropped without a record`);
  if (group === null && deadLetters)
    throw new TypeError(`${where}: a broadcast subscription has no dead letters`);
  if (group === null && !options.transport.capabilities.broadcast) {
    throw new EventError('CAPABILITY_MISSING', `${options.transport.name} cannot broadcast`, {
      transport: options.transport.name,
      capability: 'broadcast',
    });
  }
}

/**
 * The part that holds for any group.
 *
 * @throws {TypeError} If an option is not known or out of range.
 */
export function assertChoices(where: string, options: Partial<ConsumerGroupOptions>): void {
  assertKnownOptions(where, options, consumerGroupOptions);
  assertRetryPolicy(mergeRetryPolicy(defaultRetryPolicy, options.retry), where);
  const { start } = options;
  if (start !== undefined) assertGroupStart(where, start);
  for (const [name, min, max, whole] of ranges) {
    const value = options[name];
    if (value !== undefined) assertRange(where, name, value, min, max, whole);
  }
}

/** Says whether the group runs in production. */
export function inProduction({ production }: ConsumerGroupOptions): boolean {
  return production ?? process.env['NODE_ENV'] === 'production';
}
