import { describe, expect, it } from 'vitest';

import { OwnedDelivery } from './owned-delivery.ts';

class Parcel extends OwnedDelivery {
  readonly message = { id: '1', type: 'a', key: 'k', contentType: 'text/plain', body: '' };
  readonly coordinates = { transport: 'test', stream: 'test', position: '0' };
  readonly mayBeRepeated = false;
  readonly deliveryCount = undefined;
  settle(): void {}
}

describe('a delivery that can be taken back', () => {
  it('aborts its one signal when it is given up', () => {
    const parcel = new Parcel();
    const { signal } = parcel;
    expect(signal.aborted).toBe(false);
    parcel.giveUp();
    expect(signal.aborted).toBe(true);
    expect(parcel.signal).toBe(signal);
  });

  it('has an aborted signal for whoever asks only afterwards', () => {
    const parcel = new Parcel();
    parcel.giveUp();
    expect(parcel.signal.aborted).toBe(true);
  });
});
