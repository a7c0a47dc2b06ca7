import type { SqlClient } from '@quickwms/events';
import { wrapMethods } from './wrap-methods.ts';

/**
 * A database that kills its process as hard as can be at the end of so many transactions, before the last
 * of them commits.
 *
 * @param onDeath Called right before.
 */
export function dyingAfter(
  client: SqlClient,
  transactions: number,
  onDeath: () => void = () => {},
): SqlClient {
  let count = 0;
  return wrapMethods(client, {
    run: (work, options) =>
      client.run(async (tx) => {
        const result = await work(tx);
        count += 1;
        if (count === transactions) {
          onDeath();
          process.kill(process.pid, 'SIGKILL');
        }
        return result;
      }, options),
  });
}
