import { chance, chanceBetween, chanceOf } from './chance.ts';

/** How an order travels. */
export interface Parcel {
  readonly carrier: string;
  readonly trackingNumber: string;
  readonly deliveredAt: string;
}

const dayMs = 86_400_000;

/** Chooses carrier, tracking number and day of arrival; the times count from when the order was placed. */
export function decideParcel(seed: string, orderId: string, placedAt: string): Parcel {
  const number = Math.floor(chance(seed, 'tracking', orderId) * 10 ** 10);
  const days = chanceBetween(2, 6, seed, 'days in transit', orderId);
  return {
    carrier: chanceOf(['Parcelink', 'Northroute', 'Swift & Sons'], seed, 'carrier', orderId),
    trackingNumber: `WB${String(number).padStart(10, '0')}`,
    deliveredAt: later(placedAt, days),
  };
}

/** A moment so many days after another one. */
export function later(moment: string, days: number): string {
  return new Date(Date.parse(moment) + days * dayMs).toISOString();
}
