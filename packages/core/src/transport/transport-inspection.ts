/** What a transport knows of its streams and groups. */
export interface TransportInspection {
  readonly streams: readonly StreamInspection[];
}

export interface StreamInspection {
  readonly name: string;
  /** Messages held. */
  readonly length: number;
  readonly groups: readonly GroupInspection[];
}

export interface GroupInspection {
  readonly name: string;
  /** Delivered and not settled; on a log, what lies between the committed and the delivered offset. */
  readonly pending: number;
  /** Not delivered yet. */
  readonly lag: number;
  /**
   * How long ago the oldest message was accepted that the group has not finished, in seconds by the
   * broker's clock; 0 if there is none, `undefined` where the broker cannot tell.
   */
  readonly lagSeconds: number | undefined;
  /** How many consume; `members` has their names. */
  readonly consumers: number;
  readonly members: readonly MemberInspection[];
  /** Each partition of the stream, where the transport is a log. */
  readonly partitions?: readonly PartitionInspection[];
}

/** Somebody who consumes for a group. */
export interface MemberInspection {
  /** The `worker` of its subscription. */
  readonly name: string;
  /** Delivered to it and not settled; `undefined` where the broker does not tell one from another. */
  readonly pending: number | undefined;
}

/**
 * How far a group is in one partition. `pending`, `lag` and `lagSeconds` are what they are for the group;
 * over all partitions the numbers add up to the group's, and the largest of the seconds is the group's.
 */
export interface PartitionInspection {
  readonly partition: number;
  /** Name of the member that has it; `undefined` if nobody has. */
  readonly member: string | undefined;
  /** The committed offset: everything below is finished. */
  readonly position: number;
  /** The offset of the next message to be accepted; `pending` and `lag` together lie below. */
  readonly end: number;
  readonly pending: number;
  readonly lag: number;
  readonly lagSeconds: number | undefined;
}
