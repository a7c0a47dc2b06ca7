import type { Handler } from '../src/consume/handler.ts';

/** A handler that remembers the ids that it was called with. */
export function recording(): { handled: string[]; handler: Handler } {
  const handled: string[] = [];
  return { handled, handler: (event) => void handled.push(event.id) };
}

/** A handler that waits to be let go, event by event. */
export function holding(): { handler: Handler; begun: string[]; release: (id: string) => void } {
  const begun: string[] = [];
  const waiting = new Map<string, () => void>();
  return {
    begun,
    release: (id) => waiting.get(id)!(),
    async handler({ id }) {
      begun.push(id);
      await new Promise<void>((resolve) => waiting.set(id, resolve));
    },
  };
}

/** What a call throws; fails if it throws nothing. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** Throws, where only an expression fits. */
export function raise(error: unknown): never {
  throw error;
}
