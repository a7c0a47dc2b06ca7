import { defineEvent } from '@waybill/core';
import { z } from 'zod';
import {
  count,
  currency,
  id,
  money,
  prose,
  text,
  texts,
  timestamp,
  warehouseId,
} from './fields.ts';

/** Types of the events of the companies that goods are bought from. */
export const SupplierEvents = {
  SUPPLIER_REGISTERED: 'supplier.registered',
  SUPPLIER_UPDATED: 'supplier.updated',
  SUPPLIER_SUSPENDED: 'supplier.suspended',
  SUPPLIER_SHIPMENT_ANNOUNCED: 'supplier.shipment_announced',
  SUPPLIER_DISCREPANCY_REPORTED: 'supplier.discrepancy_reported',
  SUPPLIER_CLAIM_FILED: 'supplier.claim_filed',
  SUPPLIER_CLAIM_SETTLED: 'supplier.claim_settled',
} as const;

/** Definitions of the events in {@link SupplierEvents}. */
export const supplierDefinitions = [
  defineEvent({
    type: SupplierEvents.SUPPLIER_REGISTERED,
    description: 'Goods may be bought from a supplier from now on.',
    owner: 'quickintakez',
    schema: z.looseObject({
      supplierId: id('Supplier who was registered'),
      name: text('Name of the supplier'),
      category: text('What the supplier mostly sells').optional(),
      registeredBy: id('Person who registered it').optional(),
    }),
  }),
  defineEvent({
    type: SupplierEvents.SUPPLIER_UPDATED,
    description: 'The record of a supplier was changed.',
    owner: 'quickintakez',
    schema: z.looseObject({
      supplierId: id('Supplier whose record was changed'),
      changedFields: texts('Names of the fields that were changed'),
      updatedBy: id('Person who changed it').optional(),
    }),
  }),
  defineEvent({
    type: SupplierEvents.SUPPLIER_SUSPENDED,
    description: 'Nothing is bought from a supplier for the time being.',
    owner: 'quickintakez',
    schema: z.looseObject({
      supplierId: id('Supplier who was suspended'),
      reason: prose('Why nothing is bought'),
      suspendedBy: id('Person who decided it').optional(),
      reviewAt: timestamp('When it is to be looked at again').optional(),
    }),
  }),
  defineEvent({
    type: SupplierEvents.SUPPLIER_SHIPMENT_ANNOUNCED,
    description: 'A supplier announced goods that are on their way.',
    owner: 'quickintakez',
    schema: z.looseObject({
      supplierId: id('Supplier who sends them'),
      manifestId: id('Manifest that lists them'),
      expectedItems: count('Items on their way'),
      expectedAt: timestamp('When they should arrive').optional(),
      carrier: text('Carrier that brings them').optional(),
      trackingNumber: text('Tracking number of the shipment').optional(),
      warehouseId: warehouseId().optional(),
    }),
  }),
  defineEvent({
    type: SupplierEvents.SUPPLIER_DISCREPANCY_REPORTED,
    description: 'What a supplier sent is not what the manifest lists.',
    owner: 'quickintakez',
    schema: z.looseObject({
      supplierId: id('Supplier who sent it'),
      manifestId: id('Manifest that differs'),
      expectedItems: count('Items that it lists'),
      receivedItems: count('Items that were found'),
      missingItemIds: texts('Items that it lists and that were not found').optional(),
      notes: prose('What else differs').optional(),
      reportedBy: id('Person who reported it').optional(),
    }),
  }),
  defineEvent({
    type: SupplierEvents.SUPPLIER_CLAIM_FILED,
    description: 'Money was claimed back from a supplier.',
    owner: 'quickfinancez',
    schema: z.looseObject({
      claimId: id('Claim that was filed'),
      supplierId: id('Supplier who is to pay'),
      manifestId: id('Manifest that it is about'),
      amount: money('Amount that is claimed'),
      currency: currency().optional(),
      reason: prose('Why it is claimed').optional(),
      filedAt: timestamp('When it was filed').optional(),
    }),
  }),
  defineEvent({
    type: SupplierEvents.SUPPLIER_CLAIM_SETTLED,
    description: 'A claim against a supplier was closed.',
    owner: 'quickfinancez',
    schema: z.looseObject({
      claimId: id('Claim that was closed'),
      supplierId: id('Supplier who settled it'),
      amount: money('Amount that was agreed, 0 if it was dropped'),
      currency: currency().optional(),
      outcome: text('How it was closed, in words').optional(),
      settledAt: timestamp('When it was closed').optional(),
    }),
  }),
] as const;
