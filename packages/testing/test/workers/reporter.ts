// Reports one event after the other and tells its parent about each one that the ledger has confirmed.

import { LedgerClient } from '../../src/ledger-client.ts';
import { tellParent, workerArgs } from '../../src/worker-side.ts';

const { url, name } = workerArgs<{ url: string; name: string }>();
const ledger = await LedgerClient.connect(url);

for (let number = 1; ; number += 1) {
  const eventId = `${name}-${number}`;
  await ledger.report({ kind: 'handled', eventId, group: 'g', worker: name });
  await tellParent('confirmed', { eventId });
}
