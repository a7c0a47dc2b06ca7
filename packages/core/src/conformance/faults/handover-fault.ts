import type { HandoverQueue } from '../../transport/handover-queue.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { StoreConformanceOptions } from '../store/store-bench.ts';
import { storeFault, type StoreChanges } from './store-fault.ts';

export type HandoverFault = PlantedFault<StoreConformanceOptions<HandoverQueue>>;

/** A fault of a queue of handovers. */
export function handoverFault(
  name: string,
  noticedBy: string,
  changes: StoreChanges<HandoverQueue>,
): HandoverFault {
  return storeFault<HandoverQueue>(name, noticedBy, changes);
}
