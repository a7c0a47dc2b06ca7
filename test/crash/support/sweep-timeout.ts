/** A sweep starts two processes and a database for every crash; busy machines need minutes for it. */
export const sweepTimeoutMs = 300_000;
