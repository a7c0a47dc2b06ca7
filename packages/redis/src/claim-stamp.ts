/** A moment of this process, to be compared with later ones only. */
export interface ClaimStamp {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function stampNow(): ClaimStamp {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

/**
 * How long ago that was, in milliseconds, rather too long than too short: the monotonic clock stands still
 * while a machine sleeps, and the other one can be put back.
 */
export function ageMs(stamp: ClaimStamp): number {
  return Math.max(performance.now() - stamp.monotonicMs, Date.now() - stamp.wallMs);
}
