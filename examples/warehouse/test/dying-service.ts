// node --conditions=source test/dying-service.ts <service> …
//
// Runs a service as service-process.ts does. Three of them kill themselves as hard as can be, each at its
// most delicate moment and once only: a file in the folder DEATHS says that it has happened, and how.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventBus } from '@quickwms/events';
import { runAsProcess } from '../src/distributed/run-as-process.ts';
import type { Wrapping } from '../src/distributed/run-service.ts';
import { dyingAfter } from './dying-after.ts';
import { wrapMethods } from './wrap-methods.ts';

const [name = ''] = process.argv.slice(2);
const mark = join(process.env.DEATHS ?? '.', name);

const deaths: Readonly<Record<string, Wrapping>> = {
  // While it takes goods in, at the end of a transaction.
  quickintakez: {
    database: (database) => dyingAfter(database, 8, () => note('a transaction was open')),
  },
  // While it handles events, at the end of a transaction.
  quickfulfillment: {
    database: (database) => dyingAfter(database, 60, () => note('a transaction was open')),
  },
  // While it relays: some of a batch is on Redis, and all of it still in the outbox. All services share the
  // work, in larger batches on a slow machine: one of them may get no more than twenty in a whole run.
  quickgradez: { eventBus: (bus) => dyingRelay(bus, 3) },
};

await runAsProcess(existsSync(mark) ? undefined : deaths[name]);

function dyingRelay(bus: EventBus, batches: number): EventBus {
  let count = 0;
  return wrapMethods(bus, {
    async publishMessages(messages) {
      count += 1;
      if (count < batches || messages.length < 2) return await bus.publishMessages(messages);
      const half = messages.slice(0, Math.ceil(messages.length / 2));
      await bus.publishMessages(half);
      note(`${half.length} of ${messages.length} messages were published`);
      process.kill(process.pid, 'SIGKILL');
      return await new Promise<never>(() => {});
    },
  });
}

function note(how: string): void {
  writeFileSync(mark, how, { flag: 'wx' });
}
