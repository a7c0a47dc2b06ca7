import type { DataOf } from '@waybill/core';
import { ConsignmentEvents, consignmentDefinitions } from './consignment.ts';
import { DispositionEvents, dispositionDefinitions } from './disposition.ts';
import { FinanceEvents, financeDefinitions } from './finance.ts';
import { InboundEvents, inboundDefinitions } from './inbound.ts';
import { InventoryEvents, inventoryDefinitions } from './inventory.ts';
import { OutboundEvents, outboundDefinitions } from './outbound.ts';
import { PartsEvents, partsDefinitions } from './parts.ts';
import { ProcessingEvents, processingDefinitions } from './processing.ts';
import { SalesEvents, salesDefinitions } from './sales.ts';
import { SupplierEvents, supplierDefinitions } from './supplier.ts';
import { SystemEvents, systemDefinitions } from './system.ts';
import { ThreePLEvents, threePLDefinitions } from './three-pl.ts';

/** Every event type of every group by the name of its constant; the names differ across groups. */
export const AllEvents = {
  ...InboundEvents,
  ...ProcessingEvents,
  ...SalesEvents,
  ...OutboundEvents,
  ...DispositionEvents,
  ...FinanceEvents,
  ...InventoryEvents,
  ...PartsEvents,
  ...ThreePLEvents,
  ...ConsignmentEvents,
  ...SupplierEvents,
  ...SystemEvents,
} as const;

/** Any event type of the warehouse. */
export type EventType = (typeof AllEvents)[keyof typeof AllEvents];

/** Definitions of all event types of the warehouse, each type once. */
export const quickwmsCatalogue = [
  ...inboundDefinitions,
  ...processingDefinitions,
  ...salesDefinitions,
  ...outboundDefinitions,
  ...dispositionDefinitions,
  ...financeDefinitions,
  ...inventoryDefinitions,
  ...partsDefinitions,
  ...threePLDefinitions,
  ...consignmentDefinitions,
  ...supplierDefinitions,
  ...systemDefinitions,
] as const;

type Definition = (typeof quickwmsCatalogue)[number];

/** The data of an event by its type; keys that the schema does not name are `unknown`. */
export type EventDataMap = { [D in Definition as D['type']]: DataOf<D> };
