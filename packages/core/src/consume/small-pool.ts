import type { ConsumerGroupOptions } from './consumer-group-options.ts';
import type { HandlerRegistry } from './handler-registry.ts';
import type { HealthReasons } from '../health.ts';

/**
 * Says, at the start and whenever the concurrency changes, that a group wants to handle more events at once
 * than its database has connections for: a warning, and a reason in the health while it is so. The group runs
 * nevertheless, as fast as the pool serves it.
 */
export function nameSmallPool(
  { group, transactions, silence = [] }: ConsumerGroupOptions,
  concurrency: number,
  handlers: HandlerRegistry,
  reasons: HealthReasons,
): void {
  reasons.remove(handlers);
  if (silence.includes('POOL_TOO_SMALL')) return;
  if (!handlers.registrations.some(({ inbox }) => inbox)) return;
  const capacity = transactions?.capacity?.();
  if (!capacity || capacity.atOnce >= concurrency) return;
  const words = `group ${group} handles up to ${concurrency} events at once, each in a transaction, and the pool of its database serves ${capacity.atOnce}: the others wait. Say ${capacity.toServe(concurrency)}, or a concurrency of ${capacity.atOnce}`;
  reasons.add(handlers, words);
  handlers.warnings.once('POOL_TOO_SMALL', `${group} ${concurrency}`, words);
}
