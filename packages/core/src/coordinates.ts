/** Where a message lies in its transport, for people and for dead letters. */
export interface Coordinates {
  readonly transport: string;
  readonly stream: string;
  readonly partition?: number;
  /** Offset or entry id, as the broker prints it. */
  readonly position: string;
}
