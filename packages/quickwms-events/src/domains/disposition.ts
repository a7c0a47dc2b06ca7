import { defineEvent } from '@waybill/core';
import { z } from 'zod';
import {
  currency,
  grade,
  id,
  itemIds,
  measure,
  money,
  prose,
  qlid,
  text,
  texts,
  timestamp,
  url,
  warehouseId,
} from './fields.ts';

/** Types of the events of items that are not sold whole: salvage, recycling, disposal. */
export const DispositionEvents = {
  ITEM_MARKED_FOR_SALVAGE: 'item.marked_for_salvage',
  ITEM_PARTS_HARVESTED: 'item.parts_harvested',
  ITEM_MARKED_FOR_RECYCLING: 'item.marked_for_recycling',
  RECYCLING_CERTIFICATE_RECEIVED: 'recycling.certificate_received',
  ITEM_DISPOSED: 'item.disposed',
  DISCARD_WRITEOFF_GENERATED: 'discard.writeoff_generated',
} as const;

/** Definitions of the events in {@link DispositionEvents}. */
export const dispositionDefinitions = [
  defineEvent({
    type: DispositionEvents.ITEM_MARKED_FOR_SALVAGE,
    description: 'An item was given up as a whole and goes to salvage.',
    owner: 'quicksalvage',
    schema: z.looseObject({
      itemId: id('Item that goes to salvage'),
      reason: prose('Why it cannot be sold whole'),
      qlid: qlid().optional(),
      grade: grade('Grade of the item').optional(),
      condition: text('Condition in words').optional(),
      estimatedValue: money('What its parts should bring').optional(),
      currency: currency().optional(),
      markedBy: id('Person who decided it').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: DispositionEvents.ITEM_PARTS_HARVESTED,
    description: 'Usable parts were taken out of an item.',
    owner: 'quicksalvage',
    schema: z.looseObject({
      itemId: id('Item that the parts come from'),
      partsHarvested: texts('Ids of the parts that were taken out, one entry a piece'),
      qlid: qlid().optional(),
      estimatedValue: money('What the parts should bring').optional(),
      currency: currency().optional(),
      harvestedBy: id('Person who took them out').optional(),
      harvestedAt: timestamp('When they were taken out').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: DispositionEvents.ITEM_MARKED_FOR_RECYCLING,
    description: 'An item, or what is left of it, goes to recycling.',
    owner: 'quickrecyclez',
    schema: z.looseObject({
      itemId: id('Item that goes to recycling'),
      materialType: text('Material that it is sorted under'),
      qlid: qlid().optional(),
      batchId: id('Recycling batch that it goes into').optional(),
      weightKg: measure('Weight, in kilograms').optional(),
      reason: prose('Why it is recycled').optional(),
      markedBy: id('Person who decided it').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: DispositionEvents.RECYCLING_CERTIFICATE_RECEIVED,
    description: 'The recycler certified that a batch was recycled by the R2 standard.',
    owner: 'quickrecyclez',
    schema: z.looseObject({
      batchId: id('Batch that was certified'),
      certificateUrl: url('Address of the certificate'),
      certificateNumber: text('Number of the certificate').optional(),
      recycler: text('Company that issued it').optional(),
      itemIds: itemIds('Items in the batch').optional(),
      weightKg: measure('Weight of the batch, in kilograms').optional(),
      issuedAt: timestamp('When it was issued').optional(),
    }),
  }),
  defineEvent({
    type: DispositionEvents.ITEM_DISPOSED,
    description: 'An item was discarded and is no longer in the warehouse.',
    owner: 'quickdiscardz',
    schema: z.looseObject({
      itemId: id('Item that was discarded'),
      disposalMethod: text('How it was discarded, such as landfill or destruction'),
      qlid: qlid().optional(),
      reason: prose('Why it was discarded').optional(),
      disposalCost: money('What discarding it cost').optional(),
      currency: currency().optional(),
      disposedBy: id('Person who discarded it').optional(),
      disposedAt: timestamp('When it was discarded').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: DispositionEvents.DISCARD_WRITEOFF_GENERATED,
    description: 'The value of a discarded item was written off.',
    owner: 'quickdiscardz',
    schema: z.looseObject({
      itemId: id('Item whose value was written off'),
      writeoffAmount: money('Value that was written off'),
      currency: currency().optional(),
      writeoffId: id('Entry of the write-off').optional(),
      qlid: qlid().optional(),
      reason: prose('Why it was written off').optional(),
      generatedAt: timestamp('When it was written off').optional(),
    }),
  }),
] as const;
