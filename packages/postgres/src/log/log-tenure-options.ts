import type { Clock, Observer } from '@waybill/core';
import type { ConsumerShell, Judgement, TroubleSource } from '@waybill/core/adapter';

import type { LogDelivery } from './log-delivery.ts';
import type { GroupPartition, LogGroup } from './log-group.ts';
import type { LogHeads } from './log-heads.ts';

/** What all consumers of a transport have in common. */
export interface LogTiming {
  /** How often the watermark is written, in milliseconds. */
  readonly commitEveryMs: number;
  /** After this long without a sign of life the group goes to another process, in milliseconds. */
  readonly leaseMs: number;
  /** Most records of a partition that may be finished and not covered by a confirmed commit. */
  readonly maxAhead: number;
}

/** What may be in trouble on its own while a group is owned. */
export interface TenureSources {
  readonly reading: TroubleSource;
  readonly committing: TroubleSource;
  readonly beating: TroubleSource;
}

export interface LogTenureOptions {
  readonly consumer: ConsumerShell<LogDelivery>;
  readonly sources: TenureSources;
  readonly group: LogGroup;
  readonly token: string;
  readonly partitions: readonly GroupPartition[];
  /** By which registry what is settled was judged. */
  readonly judgement: Judgement | undefined;
  readonly heads: LogHeads;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly timing: LogTiming;
  /** False where this process is the only one, so that nobody could take over. */
  readonly beats: boolean;
}
