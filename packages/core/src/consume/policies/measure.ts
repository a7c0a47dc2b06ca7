import type { Clock } from '../../clock.ts';
import type { Observer } from '../../observer.ts';
import type { Warnings } from '../../warnings.ts';
import { aboutInvocation, type Invocation, type Policy } from './step.ts';

/** Reports each attempt that succeeded, once its transaction has committed, and names slow handlers. */
export function measure(options: {
  group: string | null;
  clock: Clock;
  observe: Observer;
  warnings: Warnings;
  slowMs: number;
}): Policy {
  const { group, clock, observe, warnings, slowMs } = options;
  return (next) => (event, invocation) => {
    const startedAt = clock.now();
    return next(event, invocation).then(() => report(invocation, startedAt));
  };

  function report(invocation: Invocation, startedAt: number): void {
    const { registration, progress, delivery } = invocation;
    if (!progress.entered) return;
    const { name } = registration;
    const durationMs = clock.now() - startedAt;
    if (durationMs > slowMs) {
      warnings.once(
        'SLOW_HANDLER',
        name,
        `handler ${name} of group ${group} took ${durationMs} ms for one event; its key waits that long. Move the work out, or say silence: ['SLOW_HANDLER']`,
      );
    }
    observe({
      kind: 'processed',
      ...aboutInvocation(invocation, group ?? ''),
      durationMs,
      coordinates: delivery.coordinates,
    });
  }
}
