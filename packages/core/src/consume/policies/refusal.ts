import type { Policy } from './step.ts';

/** A policy that an event is spared whose handler is not to be called any more. */
export function unlessRefused(policy: Policy): Policy {
  return (next) => {
    const step = policy(next);
    return (event, invocation) =>
      invocation.refusal ? next(event, invocation) : step(event, invocation);
  };
}
