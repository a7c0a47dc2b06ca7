import type { EventPublisher, SqlClient } from '@quickwms/events';
import type { Input } from './input/load-input.ts';
import { lotsOf, planSales } from './input/lots.ts';
import { receiveLot } from './services/receive-lot.ts';

/**
 * Takes everything in at the dock, lot after lot; what is there already is left alone.
 *
 * @param options.signal Stops it between two lots.
 */
export async function receiveGoods(options: {
  database: SqlClient;
  /** The one of QuickIntakez, whose dock it is. */
  publisher: EventPublisher;
  seed: string;
  input: Input;
  signal: AbortSignal;
}): Promise<void> {
  const { input, signal, ...intake } = options;
  const dock = { ...intake, planOf: planSales(input.demands) };
  for (const lot of lotsOf(input.units)) {
    signal.throwIfAborted();
    await receiveLot(dock, lot);
  }
}
