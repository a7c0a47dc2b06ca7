import type { Clock } from '../clock.ts';
import type { Observer } from '../observer.ts';
import type { Warnings } from '../warnings.ts';
import type { Policy } from './step.ts';

/** Reports each attempt that succeeded, once its transaction has committed, and names slow handlers. */
export function measure(options: {
  group: string | null;
  clock: Clock;
  observe: Observer;
  warnings: Warnings;
  slowMs: number;
}): Policy {
  const { group, clock, observe, warnings, slowMs } = options;
  return (next) => async (event, invocation) => {
    const { identity, registration } = invocation;
    const { name } = registration;
    const startedAt = clock.now();
    await next(event, invocation);
    if (!invocation.progress.entered) return;
    const durationMs = clock.now() - startedAt;
    if (durationMs > slowMs) {
      warnings.once(
        'SLOW_HANDLER',
        name,
        `handler ${name} of group ${group} took ${durationMs} ms for one event; its key waits that long. Move the work out, or say intended: ['SLOW_HANDLER']`,
      );
    }
    observe({
      kind: 'processed',
      group: group ?? '',
      handler: name,
      eventType: identity.type,
      eventId: identity.id,
      durationMs,
      coordinates: invocation.delivery.coordinates,
    });
  };
}
