import { Catalogue } from '@waybill/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import * as domains from './index.ts';
import { AllEvents, quickwmsCatalogue } from './index.ts';

/** What other services rely on: the types of the six agreed groups, each with its key data. */
const agreed: Record<string, Record<string, string>> = {
  InboundEvents: {
    'manifest.created': 'manifestId source expectedItems',
    'manifest.received': 'manifestId receivedBy palletCount',
    'manifest.completed': 'manifestId totalItems duration',
    'pallet.created': 'palletId manifestId',
    'pallet.location_changed': 'palletId fromLocation toLocation',
    'item.received': 'itemId qlid manifestId sku',
    'item.assigned_to_pallet': 'itemId palletId',
  },
  ProcessingEvents: {
    'grading.task_created': 'taskId itemId priority',
    'grading.task_completed': 'taskId duration',
    'item.graded': 'itemId qlid grade condition',
    'refurb.job_created': 'jobId itemId issues',
    'refurb.job_completed': 'jobId laborMinutes partsUsed',
    'item.refurbished': 'itemId newCondition',
    'item.ready_for_listing': 'itemId qlid recommendedPrice',
  },
  SalesEvents: {
    'listing.created': 'listingId itemId marketplace',
    'listing.published': 'listingId listingUrl price',
    'item.listed': 'itemId channels',
    'auction.created': 'auctionId itemIds startTime',
    'auction.started': 'auctionId',
    'bid.placed': 'bidId auctionId amount bidderId',
    'bid.won': 'bidId auctionId winningAmount',
    'item.sold': 'itemId qlid orderId salePrice',
  },
  OutboundEvents: {
    'order.created': 'orderId itemIds buyerId',
    'order.payment_received': 'orderId paymentId amount',
    'order.picking_started': 'orderId pickListId',
    'order.shipped': 'orderId trackingNumber carrier',
    'order.delivered': 'orderId deliveredAt',
    'shipment.dispatched': 'shipmentId carrier',
  },
  DispositionEvents: {
    'item.marked_for_salvage': 'itemId reason',
    'item.parts_harvested': 'itemId partsHarvested',
    'item.marked_for_recycling': 'itemId materialType',
    'recycling.certificate_received': 'batchId certificateUrl',
    'item.disposed': 'itemId disposalMethod',
    'discard.writeoff_generated': 'itemId writeoffAmount',
  },
  FinanceEvents: {
    'payment.received': 'paymentId orderId amount',
    'invoice.generated': 'invoiceId amount dueDate',
    'payout.processed': 'payoutId consignorId amount',
  },
};

const groups = Object.entries(domains).filter(([name]) => /^(?!All)\w+Events$/.test(name)) as [
  string,
  Record<string, string>,
][];
const definitions = new Map<string, (typeof quickwmsCatalogue)[number]>(
  quickwmsCatalogue.map((definition) => [definition.type, definition]),
);
const catalogue = new Catalogue(quickwmsCatalogue);

interface JsonSchema {
  type?: string;
  format?: string;
  pattern?: string;
  description?: string;
  enum?: string[];
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: unknown;
}

function jsonSchemaOf(eventType: string): JsonSchema {
  const schema = definitions.get(eventType)!.schema as unknown as z.ZodType;
  return z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;
}

function sampleOf(schema: JsonSchema): unknown {
  if (schema.anyOf) return sampleOf(schema.anyOf[0]!);
  if (schema.enum) return schema.enum[0];
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, field]) => [key, sampleOf(field)]),
      );
    case 'array':
      return [sampleOf(schema.items!)];
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    default:
      return sampleText(schema);
  }
}

function sampleText(schema: JsonSchema): string {
  if (schema.format === 'date-time') return '2026-02-09T08:30:00.000Z';
  if (schema.format === 'date') return '2026-02-09';
  if (schema.format === 'uri') return 'https://example.com/1';
  if (schema.pattern === '^\\d{9}$') return '123456789';
  if (schema.pattern === '^[A-Z]{3}$') return 'USD';
  return 'item-uuid-here';
}

function without(data: object, key: string): object {
  return Object.fromEntries(Object.entries(data).filter(([name]) => name !== key));
}

const types = quickwmsCatalogue.map((definition) => definition.type);

describe('the agreed event types', () => {
  it.each(Object.entries(agreed))('%s holds exactly the agreed types', (group, events) => {
    const constants = Object.fromEntries(groups)[group]!;
    expect(Object.values(constants).sort()).toEqual(Object.keys(events).sort());
  });

  const rows = Object.values(agreed).flatMap((events) => Object.entries(events));

  it.each(rows)('%s requires its key data and nothing else: %s', (type, keyData) => {
    expect(jsonSchemaOf(type).required?.toSorted()).toEqual(keyData.split(' ').toSorted());
  });
});

describe('the groups of constants', () => {
  it('are the twelve that services import', () => {
    expect(groups.map(([name]) => name).sort()).toEqual([
      'ConsignmentEvents',
      'DispositionEvents',
      'FinanceEvents',
      'InboundEvents',
      'InventoryEvents',
      'OutboundEvents',
      'PartsEvents',
      'ProcessingEvents',
      'SalesEvents',
      'SupplierEvents',
      'SystemEvents',
      'ThreePLEvents',
    ]);
  });

  it('name every constant after its type', () => {
    for (const [name, type] of groups.flatMap(([, events]) => Object.entries(events))) {
      expect(name).toBe(type.toUpperCase().replaceAll('.', '_'));
    }
  });

  it('share no constant, so that AllEvents holds each of them', () => {
    const all = groups.flatMap(([, events]) => Object.entries(events));
    expect(Object.keys(AllEvents)).toHaveLength(all.length);
    expect(AllEvents).toEqual(Object.fromEntries(all));
  });

  it('are defined once each, no more and no fewer', () => {
    expect(types.toSorted()).toEqual(Object.values(AllEvents).toSorted());
    expect(catalogue.list()).toHaveLength(types.length);
  });
});

describe('a definition', () => {
  it.each(types)('%s is lower case, two segments and past tense', (type) => {
    expect(type).toMatch(/^[a-z]+\.[a-z]+(_[a-z]+)*$/);
    const words = type.split('.')[1]!.split('_');
    const isState = type === 'item.ready_for_listing';
    expect(isState || words.some((word) => /.ed$|^(won|sold)$/.test(word))).toBe(true);
  });

  it.each(types)('%s says in a sentence what happened and who publishes it', (type) => {
    const { description, owner, version } = definitions.get(type)!;
    expect(description).toMatch(/^[A-Z].{15,}\.$/);
    expect(owner).toMatch(/^quick[a-z0-9]+$/);
    expect(version).toBe(1);
  });

  it.each(types)('%s converts to a JSON Schema with a description on each field', (type) => {
    const { properties, additionalProperties } = jsonSchemaOf(type);
    expect(additionalProperties).toEqual({});
    const fields = Object.entries(properties!);
    expect(
      fields.filter(([, field]) => !field.description || field.description.length < 8),
    ).toEqual([]);
  });

  it.each(types)('%s bounds every text, list and number', (type) => {
    const open = (field: object): boolean =>
      !['enum', 'maxLength', 'maxItems', 'maximum', 'pattern', 'anyOf'].some(
        (bound) => bound in field,
      ) && (field as JsonSchema).type !== 'boolean';
    const fields = Object.entries(jsonSchemaOf(type).properties!);
    expect(
      fields.filter(
        ([, field]) =>
          open(field) || (field.items && field.items.type !== 'object' && open(field.items)),
      ),
    ).toEqual([]);
  });
});

describe('the data of an event', () => {
  it.each(types)('%s passes complete, and with its required fields alone', async (type) => {
    const schema = jsonSchemaOf(type);
    const complete = sampleOf(schema) as Record<string, unknown>;
    const bare = Object.fromEntries(schema.required!.map((key) => [key, complete[key]]));
    expect(await catalogue.check(type, complete)).toEqual({ missing: [], invalid: [] });
    expect(await catalogue.check(type, bare)).toEqual({ missing: [], invalid: [] });
  });

  it.each(types)('%s is missing each required field that is left out', async (type) => {
    const schema = jsonSchemaOf(type);
    for (const key of schema.required!) {
      const found = await catalogue.check(type, without(sampleOf(schema) as object, key));
      expect(found.missing.map((issue) => issue.path)).toEqual([key]);
      expect(found.invalid).toEqual([]);
    }
  });

  it.each(types)('%s refuses a wrong value in each field, required or not', async (type) => {
    const schema = jsonSchemaOf(type);
    for (const key of Object.keys(schema.properties!)) {
      for (const wrong of [{ nested: true }, null, '']) {
        const found = await catalogue.check(type, {
          ...(sampleOf(schema) as object),
          [key]: wrong,
        });
        expect(new Set(found.invalid.map((issue) => issue.path))).toEqual(new Set([key]));
      }
    }
  });

  it.each(types)('%s keeps fields that the schema does not name', async (type) => {
    const data = { ...(sampleOf(jsonSchemaOf(type)) as object), addedBySomebodyElse: 7 };
    const result = await definitions.get(type)!.schema['~standard'].validate(data);
    expect(result).toEqual({ value: data });
  });

  it('takes an item that was received as services publish it today', async () => {
    const data = {
      itemId: 'item-uuid-here',
      manifestId: 'manifest-uuid',
      sku: 'ABC123',
      condition: 'new',
    };
    const { missing, invalid } = await catalogue.check(AllEvents.ITEM_RECEIVED, data);
    expect(missing.map((issue) => issue.path)).toEqual(['qlid']);
    expect(invalid).toEqual([]);
  });

  it.each(['A', 'B', 'C', 'D', 'F'])('takes the grade %s', async (grade) => {
    const data = { itemId: 'item-1', qlid: '123456789', grade, condition: 'used' };
    expect((await catalogue.check(AllEvents.ITEM_GRADED, data)).invalid).toEqual([]);
  });

  it.each(['E', 'a', 'A+', 1])('refuses the grade %s', async (grade) => {
    const data = { itemId: 'item-1', qlid: '123456789', grade, condition: 'used' };
    const { invalid } = await catalogue.check(AllEvents.ITEM_GRADED, data);
    expect(invalid.map((issue) => issue.path)).toEqual(['grade']);
  });
});
