import { quick3PLz } from './quick-3plz.ts';
import { quickAuctionz } from './quick-auctionz.ts';
import { quickBidz } from './quick-bidz.ts';
import { quickDiscardz } from './quick-discardz.ts';
import { quickFinancez } from './quick-financez.ts';
import { quickFulfillment } from './quick-fulfillment.ts';
import { quickGradez } from './quick-gradez.ts';
import { quickInsightz } from './quick-insightz.ts';
import { quickIntakez } from './quick-intakez.ts';
import { quickInventoryz } from './quick-inventoryz.ts';
import { quickListz } from './quick-listz.ts';
import { quickLoadz } from './quick-loadz.ts';
import { quickPalletz } from './quick-palletz.ts';
import { quickRecyclez } from './quick-recyclez.ts';
import { quickRefurbz } from './quick-refurbz.ts';
import { quickSalvage } from './quick-salvage.ts';
import type { Service } from './service.ts';

/** The whole warehouse, in the order in which a unit meets it. */
export const services: readonly Service[] = [
  quickIntakez,
  quickPalletz,
  quickInventoryz,
  quick3PLz,
  quickGradez,
  quickRefurbz,
  quickSalvage,
  quickRecyclez,
  quickDiscardz,
  quickListz,
  quickAuctionz,
  quickBidz,
  quickFulfillment,
  quickLoadz,
  quickFinancez,
  quickInsightz,
];
