import { ConsumerGroup, JsonCodec, plainProfile } from '@waybill/core';
import { keyOf } from '@waybill/core/adapter';
import type { EventEnvelope, Transport } from '@waybill/core';
import type { Delivery } from '@waybill/core/adapter';
import { MemoryDeadLetterQueue, MemoryTransport } from '@waybill/core/memory';
import { describe, expect, it } from 'vitest';

import { checkLedger, type LedgerVerdict } from './check-ledger.ts';
import { LedgerClient } from './ledger-client.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { startLedger } from './ledger.ts';
import { override } from './override.ts';

const codec = new JsonCodec({ profile: plainProfile });
const eventCount = 200;
const keyCount = 10;

const events = Array.from({ length: eventCount }, (_, index): EventEnvelope => ({
  id: `e${index}`,
  source: 'dock',
  specversion: '1.0',
  type: 'item.received',
  datacontenttype: 'application/json',
  time: '2026-01-01T00:00:00Z',
  version: 1,
  subject: `k${index % keyCount}`,
  data: { keySequence: Math.floor(index / keyCount) },
}));

/** Publishes, consumes with the real engine over a transport with a fault, and checks the ledger. */
async function run(plant: (transport: Transport) => Transport): Promise<LedgerVerdict> {
  await using ledger = await startLedger();
  const client = await LedgerClient.connect(ledger.url);
  const transport = plant(new MemoryTransport());
  const last = Promise.withResolvers<void>();
  const group = new ConsumerGroup({
    transport,
    codec,
    group: 'stock',
    deadLetters: new MemoryDeadLetterQueue(),
  });
  group.on(['*'], async (event, { key }) => {
    const report: LedgerEntry = { kind: 'handled', group: 'stock', key, ...identityOf(event) };
    await client.report(report);
    if (event.id === 'the end') last.resolve();
  });
  await group.start();
  for (const event of events) {
    await transport.publish([codec.encode(event)]);
    const key = keyOf(event, plainProfile);
    await client.report({ kind: 'published', key, ...identityOf(event) });
  }
  await transport.publish([codec.encode({ ...events[0]!, id: 'the end', subject: 'k0' })]);
  await last.promise;
  await group.stop();
  await transport.close();
  client.close();
  const entries = (await ledger.entries()).filter(({ eventId }) => eventId !== 'the end');
  return checkLedger(entries, { groups: ['stock'], maxDuplicates: 0 });
}

function identityOf(event: EventEnvelope): { eventId: string; keySequence: number } {
  const { keySequence } = event.data as { keySequence: number };
  return { eventId: event.id, keySequence };
}

/** A transport that hands out deliveries in its own way. */
function deliveringBy(
  change: (delivery: Delivery, deliver: (delivery: Delivery) => void) => void,
): (transport: Transport) => Transport {
  return (transport) =>
    override(transport, {
      subscribe: (subscription, deliver) =>
        transport.subscribe(subscription, (delivery) => change(delivery, deliver)),
    });
}

const broken = ({ violations }: LedgerVerdict) => [
  ...new Set(violations.map(({ invariant }) => invariant)),
];

describe('the ledger over the real engine', () => {
  it('has no complaint about a sound transport', async () => {
    const verdict = await run((transport) => transport);

    expect(verdict.violations).toEqual([]);
    expect(verdict.summary).toBe(
      '200 events for stock: 200 handled, 0 applied, 0 dead-lettered, 0 dropped, 0 repeated',
    );
  });

  it('notices a transport that loses one message of many', async () => {
    const verdict = await run(
      deliveringBy((delivery, deliver) => {
        if (delivery.message.id === 'e123') delivery.settle();
        else deliver(delivery);
      }),
    );

    expect(verdict.violations).toEqual([
      { invariant: 'I1', message: 'e123 has disappeared in group stock' },
    ]);
  });

  it('notices a transport that delivers one message twice', async () => {
    const verdict = await run(
      deliveringBy((delivery, deliver) => {
        deliver(delivery);
        if (delivery.message.id === 'e42') deliver(override(delivery, { settle() {} }));
      }),
    );

    expect(broken(verdict)).toEqual(['I5']);
    expect([...verdict.duplicates]).toEqual([['stock e42', 1]]);
  });

  it('notices a transport that changes the order of one key once', async () => {
    let held: Delivery | undefined;
    const verdict = await run(
      deliveringBy((delivery, deliver) => {
        if (delivery.message.id === 'e50') {
          held = delivery;
          return;
        }
        deliver(delivery);
        if (delivery.message.id === 'e60') deliver(held!);
      }),
    );

    expect(verdict.violations).toEqual([
      { invariant: 'I3', message: 'e50 (5) came after e60 (6) of key k0 in group stock' },
    ]);
  });

  it('notices a transport that delivers what nobody has published', async () => {
    const verdict = await run(
      deliveringBy((delivery, deliver) => {
        deliver(delivery);
        if (delivery.message.id !== 'e7') return;
        const ghost = { ...events[7]!, id: 'ghost', data: { keySequence: 1_000 } };
        deliver(override(delivery, { message: codec.encode(ghost), settle() {} }));
      }),
    );

    expect(broken(verdict)).toContain('I4');
  });
});
