import { describe, expect, it } from 'vitest';

import type { Delivery } from './transport.ts';
import { Outlet, type RevocableDelivery } from './outlet.ts';

/** A delivery that notes whether it was taken back. */
class Parcel {
  readonly partition: number;
  revoked = 0;

  constructor(partition: number) {
    this.partition = partition;
  }

  giveUp(): void {
    this.revoked += 1;
  }
}
type ParcelDelivery = Parcel & RevocableDelivery;

const parcels = (...partitions: number[]): ParcelDelivery[] =>
  partitions.map((partition) => new Parcel(partition) as ParcelDelivery);

function outletOf(maxInFlight: number) {
  const handedOut: Delivery[] = [];
  let rooms = 0;
  const outlet = new Outlet<ParcelDelivery>({
    deliver: (delivery) => void handedOut.push(delivery),
    maxInFlight,
    onRoom: () => void (rooms += 1),
  });
  return { outlet, handedOut, rooms: () => rooms };
}

describe('an outlet', () => {
  it('takes back a whole partition at once: what was handed out is told, what waits is returned', () => {
    const { outlet, handedOut, rooms } = outletOf(3);
    const all = parcels(0, 1, 0, 1, 0, 1);
    outlet.add(all);
    outlet.handOut();
    expect(handedOut).toEqual(all.slice(0, 3));
    const unhanded = outlet.dropWhere(({ partition }) => partition === 0);
    expect(unhanded).toEqual([all[4]]);
    expect(all.map(({ revoked }) => revoked)).toEqual([1, 0, 1, 0, 0, 0]);
    expect(rooms()).toBe(1);
    expect(outlet.settle(all[0]!)).toBe(false);
    outlet.handOut();
    expect(handedOut.slice(3)).toEqual([all[3], all[5]]);
  });

  it('changes nothing when nothing of what it has is gone', () => {
    const { outlet, rooms } = outletOf(2);
    const all = parcels(0, 1, 0);
    outlet.add(all);
    outlet.handOut();
    expect(outlet.dropWhere(({ partition }) => partition === 7)).toEqual([]);
    expect(rooms()).toBe(0);
    expect(outlet.settle(all[0]!)).toBe(true);
    outlet.handOut();
    expect(outlet.isEmpty).toBe(false);
    expect(all.map(({ revoked }) => revoked)).toEqual([0, 0, 0]);
  });

  it('may be asked for more from within the taking back', () => {
    const handedOut: Delivery[] = [];
    const all = parcels(0, 0, 1);
    const outlet: Outlet<ParcelDelivery> = new Outlet<ParcelDelivery>({
      deliver: (delivery) => void handedOut.push(delivery),
      maxInFlight: 1,
      onRoom: () => outlet.handOut(),
    });
    outlet.add(all);
    outlet.handOut();
    outlet.dropWhere(({ partition }) => partition === 0);
    expect(handedOut).toEqual([all[0], all[2]]);
  });
});
