import type { HandoverQueue } from '../../transport/handover-queue.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { StoreConformanceOptions } from '../store/store-bench.ts';
import { storeFault } from './store-fault.ts';

export type HandoverFault = PlantedFault<StoreConformanceOptions<HandoverQueue>>;

/** A fault of a queue of handovers. */
export const handoverFault = storeFault<HandoverQueue>;
