// node --conditions=source --expose-gc worker.ts <contender>: does what its parent says until that is gone.

import { bullmq } from './bullmq.ts';
import { Commands } from './commands.ts';
import { rawLoop } from './raw-loop.ts';
import { waybill } from './waybill.ts';
import type { Answer, CommandName, Order } from './worker-process.ts';

const contenders = new Map([
  ['raw loop', rawLoop],
  ['waybill', waybill],
  ['bullmq', bullmq],
]);

const commands = new Commands(contenders.get(process.argv[2]!)!);

process.on('disconnect', () => process.exit());
process.on('message', ({ id, command, args }: Order) => {
  run(command, args).then(
    (result) => answer({ id, result }),
    (error: unknown) =>
      answer({ id, error: error instanceof Error ? error.stack! : String(error) }),
  );
});

async function run(command: CommandName, args: readonly unknown[]): Promise<unknown> {
  return await (commands[command] as (...given: readonly unknown[]) => Promise<unknown>)(...args);
}

function answer(message: Answer): void {
  process.send!(message);
}
