import { defineEvent } from '@waybill/core';
import { z } from 'zod';
import {
  count,
  currency,
  id,
  money,
  prose,
  qlid,
  text,
  texts,
  timestamp,
  warehouseId,
} from './fields.ts';

/** Types of the events of stock: what is there, where, and for whom it is kept. */
export const InventoryEvents = {
  INVENTORY_ITEM_ADDED: 'inventory.item_added',
  INVENTORY_ITEM_UPDATED: 'inventory.item_updated',
  INVENTORY_ITEM_MOVED: 'inventory.item_moved',
  INVENTORY_ITEM_REMOVED: 'inventory.item_removed',
  INVENTORY_ITEM_RESERVED: 'inventory.item_reserved',
  INVENTORY_RESERVATION_RELEASED: 'inventory.reservation_released',
  INVENTORY_STOCK_ADJUSTED: 'inventory.stock_adjusted',
  INVENTORY_COUNT_COMPLETED: 'inventory.count_completed',
} as const;

/** Definitions of the events in {@link InventoryEvents}. */
export const inventoryDefinitions = [
  defineEvent({
    type: InventoryEvents.INVENTORY_ITEM_ADDED,
    description: 'An item became part of the stock.',
    owner: 'quickinventoryz',
    schema: z.looseObject({
      itemId: id('Item that was added'),
      qlid: qlid(),
      sku: id('Stock keeping unit of the item'),
      location: text('Where it lies').optional(),
      condition: text('Condition in words').optional(),
      manifestId: id('Manifest that it came with').optional(),
      cost: money('What it cost to acquire').optional(),
      currency: currency().optional(),
      addedAt: timestamp('When it was added').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: InventoryEvents.INVENTORY_ITEM_UPDATED,
    description: 'The record of an item in stock was changed.',
    owner: 'quickinventoryz',
    schema: z.looseObject({
      itemId: id('Item whose record was changed'),
      qlid: qlid(),
      changedFields: texts('Names of the fields that were changed'),
      status: text('Status of the item after the change').optional(),
      updatedBy: id('Person who changed it').optional(),
      updatedAt: timestamp('When it was changed').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: InventoryEvents.INVENTORY_ITEM_MOVED,
    description: 'An item in stock was moved to another place.',
    owner: 'quickinventoryz',
    schema: z.looseObject({
      itemId: id('Item that was moved'),
      fromLocation: text('Where it lay'),
      toLocation: text('Where it lies now'),
      qlid: qlid().optional(),
      movedBy: id('Person who moved it').optional(),
      movedAt: timestamp('When it was moved').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: InventoryEvents.INVENTORY_ITEM_REMOVED,
    description: 'An item is no longer part of the stock.',
    owner: 'quickinventoryz',
    schema: z.looseObject({
      itemId: id('Item that was removed'),
      qlid: qlid(),
      reason: prose('Why it left, such as sold or disposed'),
      orderId: id('Order that it left with').optional(),
      removedAt: timestamp('When it left').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: InventoryEvents.INVENTORY_ITEM_RESERVED,
    description: 'An item is kept for an order and cannot be sold to anybody else.',
    owner: 'quickinventoryz',
    schema: z.looseObject({
      reservationId: id('Reservation that keeps it'),
      itemId: id('Item that is kept'),
      orderId: id('Order that it is kept for'),
      qlid: qlid().optional(),
      expiresAt: timestamp('When the reservation lapses').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: InventoryEvents.INVENTORY_RESERVATION_RELEASED,
    description: 'An item is no longer kept for an order.',
    owner: 'quickinventoryz',
    schema: z.looseObject({
      reservationId: id('Reservation that ended'),
      itemId: id('Item that is free again'),
      reason: prose('Why it ended, such as cancelled or expired'),
      orderId: id('Order that it was kept for').optional(),
      qlid: qlid().optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: InventoryEvents.INVENTORY_STOCK_ADJUSTED,
    description: 'The quantity on hand was corrected.',
    owner: 'quickinventoryz',
    schema: z.looseObject({
      sku: id('Stock keeping unit that was corrected'),
      previousQuantity: count('Quantity before the correction'),
      newQuantity: count('Quantity after the correction'),
      reason: prose('Why it was corrected'),
      location: text('Place that was corrected').optional(),
      countId: id('Stock count that it comes from').optional(),
      adjustedBy: id('Person who corrected it').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: InventoryEvents.INVENTORY_COUNT_COMPLETED,
    description: 'The stock of a place was counted.',
    owner: 'quickinventoryz',
    schema: z.looseObject({
      countId: id('Stock count'),
      location: text('Place that was counted'),
      expectedItems: count('Items that the records list there'),
      countedItems: count('Items that were found there'),
      missingItemIds: texts('Items that are listed and were not found').optional(),
      countedBy: id('Person who counted').optional(),
      completedAt: timestamp('When the count ended').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
] as const;
