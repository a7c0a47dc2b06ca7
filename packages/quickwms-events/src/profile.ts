import { Catalogue, type Profile } from '@waybill/core';

import { quickwmsCatalogue } from './domains/index.ts';

const qlid = /^\d{9}$/;
const maxIdLength = 255;

/** What the warehouse adds to the engine: `qlid` and `warehouseId`, and order by subject, then by item. */
export const quickwmsProfile: Profile = {
  name: 'quickwms',
  attributes: [
    {
      name: 'qlid',
      wire: 'qlid',
      column: 'qlid',
      validate: (value) =>
        typeof value === 'string' && qlid.test(value) ? undefined : 'must be nine digits',
    },
    {
      name: 'warehouseId',
      wire: 'warehouseid',
      column: 'warehouse_id',
      validate: (value) =>
        typeof value === 'string' && value !== '' && value.length <= maxIdLength
          ? undefined
          : `must be 1 to ${maxIdLength} characters`,
    },
  ],
  keyOf: (event) => event.subject ?? (event as { qlid?: string }).qlid,
};

/** Every event type that a warehouse knows. */
export const quickwmsEvents: Catalogue = new Catalogue(quickwmsCatalogue);
