import { defineEvent } from '@waybill/core';
import { z } from 'zod';
import {
  count,
  currency,
  id,
  money,
  prose,
  qlid,
  quantity,
  text,
  timestamp,
  warehouseId,
} from './fields.ts';

/** Types of the events of the spare parts that refurbishment builds in. */
export const PartsEvents = {
  PARTS_ORDERED: 'parts.ordered',
  PARTS_RECEIVED: 'parts.received',
  PARTS_RESERVED: 'parts.reserved',
  PARTS_RESERVATION_RELEASED: 'parts.reservation_released',
  PARTS_CONSUMED: 'parts.consumed',
  PARTS_SCRAPPED: 'parts.scrapped',
  PARTS_REORDER_POINT_REACHED: 'parts.reorder_point_reached',
} as const;

/** Definitions of the events in {@link PartsEvents}. */
export const partsDefinitions = [
  defineEvent({
    type: PartsEvents.PARTS_ORDERED,
    description: 'Parts were ordered from a supplier.',
    owner: 'quickrefurbz',
    schema: z.looseObject({
      purchaseOrderId: id('Purchase order'),
      partId: id('Part that was ordered'),
      supplierId: id('Supplier who is to deliver it'),
      quantity: quantity('Pieces that were ordered'),
      unitCost: money('Cost of one piece').optional(),
      currency: currency().optional(),
      expectedAt: timestamp('When they should arrive').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: PartsEvents.PARTS_RECEIVED,
    description: 'Parts were put on the shelf, bought or taken out of salvaged items.',
    owner: 'quickrefurbz',
    schema: z.looseObject({
      partId: id('Part that was put on the shelf'),
      quantity: quantity('Pieces that were added'),
      source: text('Where they come from, such as purchase or salvage'),
      purchaseOrderId: id('Purchase order that brought them').optional(),
      sourceItemId: id('Salvaged item that they were taken out of').optional(),
      qlid: qlid().optional(),
      partName: text('Name of the part').optional(),
      unitCost: money('Cost of one piece').optional(),
      currency: currency().optional(),
      location: text('Shelf that they lie on').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: PartsEvents.PARTS_RESERVED,
    description: 'Parts are kept for a refurbishment job.',
    owner: 'quickrefurbz',
    schema: z.looseObject({
      reservationId: id('Reservation that keeps them'),
      partId: id('Part that is kept'),
      jobId: id('Refurbishment job that it is kept for'),
      quantity: quantity('Pieces that are kept'),
      itemId: id('Item that the job is about').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: PartsEvents.PARTS_RESERVATION_RELEASED,
    description: 'Parts are no longer kept for a refurbishment job.',
    owner: 'quickrefurbz',
    schema: z.looseObject({
      reservationId: id('Reservation that ended'),
      partId: id('Part that is free again'),
      quantity: quantity('Pieces that are free again'),
      reason: prose('Why it ended, such as job cancelled'),
      jobId: id('Refurbishment job that they were kept for').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: PartsEvents.PARTS_CONSUMED,
    description: 'Parts were built into an item.',
    owner: 'quickrefurbz',
    schema: z.looseObject({
      partId: id('Part that was built in'),
      jobId: id('Refurbishment job that used it'),
      quantity: quantity('Pieces that were used'),
      itemId: id('Item that they were built into').optional(),
      qlid: qlid().optional(),
      reservationId: id('Reservation that kept them').optional(),
      unitCost: money('Cost of one piece').optional(),
      currency: currency().optional(),
      consumedAt: timestamp('When they were built in').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: PartsEvents.PARTS_SCRAPPED,
    description: 'Parts were thrown away.',
    owner: 'quickrefurbz',
    schema: z.looseObject({
      partId: id('Part that was thrown away'),
      quantity: quantity('Pieces that were thrown away'),
      reason: prose('Why, such as defective'),
      writeoffAmount: money('Value that was lost').optional(),
      currency: currency().optional(),
      scrappedBy: id('Person who decided it').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: PartsEvents.PARTS_REORDER_POINT_REACHED,
    description: 'So few pieces of a part are left that it should be ordered.',
    owner: 'quickrefurbz',
    schema: z.looseObject({
      partId: id('Part that is running out'),
      quantityOnHand: count('Pieces left'),
      reorderPoint: count('Number of pieces at which it should be ordered'),
      supplierId: id('Supplier who usually delivers it').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
] as const;
