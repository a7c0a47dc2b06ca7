import { isDeadLetterQueue, type DeadLetterQueue } from './dead-letter-queue.ts';
import type { DeadLetter } from './dead-letter.ts';
import type { DeadLetterSink } from './dead-letter-sink.ts';
import type { HandoverQueue } from '../transport/handover-queue.ts';
import type { Transport } from '../transport/transport.ts';

export interface UnfinishedForOptions {
  readonly group: string;
  readonly transport: Transport;
  readonly deadLetters: DeadLetterSink | undefined;
  readonly handovers: readonly HandoverQueue[];
  /** Now, in milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Most dead letters that are looked at: the oldest ones. */
const maxLooked = 1_000;

/**
 * How long ago the oldest event was accepted that a group has not finished: on its transport, as a dead letter
 * that may be run again, or as a handover that waits.
 *
 * @returns Milliseconds; 0 if there is none, `undefined` where the transport cannot tell.
 */
export async function unfinishedForMs(options: UnfinishedForOptions): Promise<number | undefined> {
  const { group, deadLetters, handovers, nowMs } = options;
  const onTransportMs = await unsettledForMs(options);
  if (onTransportMs === undefined) return undefined;
  const kept = await Promise.all([
    ...handovers.map(async (queue) =>
      (await queue.open(group)).map(({ oldest }) => oldest.getTime()),
    ),
    deadLetters && isDeadLetterQueue(deadLetters) ? openSince(deadLetters, group) : [],
  ]);
  return Math.max(onTransportMs, ...kept.flat().map((sinceMs) => nowMs - sinceMs));
}

/** A group that the transport does not know may exist nevertheless, where others consume for it. */
async function unsettledForMs({
  transport,
  group,
}: UnfinishedForOptions): Promise<number | undefined> {
  const { streams } = await transport.inspect();
  const own = streams.flatMap(({ groups }) => groups).filter(({ name }) => name === group);
  const seconds = own.map(({ lagSeconds }) => lagSeconds);
  if (seconds.length === 0 || !seconds.every((each) => each !== undefined)) return undefined;
  return Math.max(...seconds) * 1_000;
}

async function openSince(queue: DeadLetterQueue, group: string): Promise<number[]> {
  const open = await Promise.all(
    (['pending', 'processing'] as const).map((status) =>
      queue.list({ group, status, limit: maxLooked }),
    ),
  );
  return open.flat().map(sinceWhen);
}

/** An event is older than its dead letter. */
function sinceWhen({ enteredAt, event }: DeadLetter): number {
  const made = Date.parse(event?.time ?? '');
  return Number.isNaN(made) ? enteredAt.getTime() : Math.min(made, enteredAt.getTime());
}
