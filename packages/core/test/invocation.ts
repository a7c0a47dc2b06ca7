import { Abort } from '../src/consume/abort.ts';
import type { EventEnvelope } from '../src/event/envelope.ts';
import { compilePatterns } from '../src/event/patterns.ts';
import type { Invocation, Registration } from '../src/consume/policies/step.ts';
import { defaultRetryPolicy } from '../src/retry/retry-policy.ts';
import type { Delivery } from '../src/transport/transport.ts';
import { envelope } from './envelope.ts';
import { tinyCodec } from './tiny-codec.ts';

/** A handler named `grade` that does nothing, unless said otherwise. */
export function registration(said: Partial<Registration> = {}): Registration {
  const patterns = ['item.*'];
  return {
    name: 'grade',
    derived: false,
    formerly: [],
    patterns,
    matches: compilePatterns(patterns),
    handler: () => {},
    schema: undefined,
    retry: { ...defaultRetryPolicy, jitterFactor: 0 },
    timeoutMs: 30_000,
    inbox: false,
    run: async () => {},
    runOnce: async () => {},
    ...said,
  };
}

/** A first delivery of an event; counts how often it is settled. */
export function delivery(
  event: EventEnvelope = envelope(),
  said: Partial<Delivery> = {},
): Delivery & { settled: number } {
  return {
    settled: 0,
    message: tinyCodec.encode(event),
    coordinates: { transport: 'test', stream: 'items', position: '7' },
    mayBeRepeated: false,
    deliveryCount: 1,
    signal: new AbortController().signal,
    settle() {
      this.settled += 1;
    },
    ...said,
  };
}

/** An event on its way to a handler, as the engine would send it. */
export function invocation(said: Partial<Invocation> = {}): Invocation {
  const given = said.delivery ?? delivery();
  const { id, source, type } = tinyCodec.decode(given.message);
  return {
    registration: registration(),
    delivery: given,
    identity: { id, source, type },
    reread: () => tinyCodec.decode(given.message),
    abort: new Abort(given.signal),
    giveUp: () => {},
    attempt: 1,
    tx: undefined,
    stepAside: (wait) => wait(),
    refusal: undefined,
    afterCommit: (run) => run(),
    progress: { attempts: 0, entered: false, lostConnections: 0 },
    ...said,
  };
}
