import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Runs `work` as if nobody had called it: loops and timers live longer than the transaction or the
 * handler that happens to start them, and must not pass for a part of it.
 */
export const detached: <T>(work: () => T) => T = AsyncLocalStorage.snapshot();
