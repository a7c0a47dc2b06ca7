import type { Pruner } from '@waybill/core/adapter';

import type { SqlClient } from '../client/sql-client.ts';
import { pruneSettings, type PruneOptions } from './prune-options.ts';
import { pruneFor } from './shared-pruner.ts';

export interface DatabasePrunerOptions {
  readonly client: SqlClient;
  readonly schema: string;
  /** `false` to delete nothing. */
  readonly prune: PruneOptions | false;
  /** Queues whose tables lie in this schema, and are looked at by the statements that prune. */
  readonly queues: readonly object[];
}

/** Deletes nothing, for whoever does so himself. A value, so that it stands before a pruner of the bus. */
const noPruner: Pruner = { covers: () => true, start: () => ({ stop: async () => {} }) };

/** @throws {TypeError} If an option is not known, or out of range. */
export function databasePruner({ client, schema, prune, queues }: DatabasePrunerOptions): Pruner {
  if (prune === false) return noPruner;
  const settings = pruneSettings(prune);
  return {
    covers: (queue) => queues.includes(queue),
    start: (group) => pruneFor({ client, schema }, group, settings),
  };
}
