/** What the sources of one workspace may import, apart from Node built-ins and their own files. */
export interface ImportRule {
  /** Folder in the checkout. */
  readonly folder: string;
  /** Other packages of ours. */
  readonly ours: readonly string[];
  /** Packages of others. */
  readonly others: readonly string[];
  /** True for a façade: only there are other packages' names exported once more. */
  readonly mayReexport?: boolean;
  /**
   * The folders of `src`, and which of the others each may import; one may only name those above it, so
   * that the arrows go one way. Files at the top are for all of them and know none; entries know all.
   */
  readonly rooms?: Readonly<Record<string, readonly string[]>>;
  /** Words that belong to a product and have no place here. */
  readonly foreignWords?: RegExp;
}

/** One row per workspace. Whoever adds a package adds a row, and so decides what it may know. */
export const importRules: readonly ImportRule[] = [
  {
    folder: 'packages/core',
    ours: [],
    others: ['@standard-schema/spec'],
    rooms: {
      event: [],
      transport: ['event'],
      retry: [],
      idempotency: [],
      publish: ['event', 'transport'],
      consume: ['event', 'transport', 'retry'],
      bus: ['event', 'transport', 'publish', 'consume'],
      memory: ['event', 'transport', 'idempotency', 'publish', 'consume', 'bus'],
      conformance: ['event', 'transport', 'retry', 'idempotency', 'publish', 'consume', 'memory'],
    },
    foreignWords: /qlid|work_?order/i,
  },
  {
    folder: 'packages/postgres',
    ours: ['@waybill/core'],
    others: ['pg', '@electric-sql/pglite'],
    rooms: {
      client: [],
      embedded: ['client'],
      migrate: ['client'],
      outbox: ['client'],
      store: ['client', 'migrate', 'outbox'],
      prune: ['client'],
      consume: ['client', 'prune'],
      idempotency: ['client'],
      log: ['client'],
      bus: ['client', 'prune', 'consume', 'log'],
    },
  },
  {
    folder: 'packages/redis',
    ours: ['@waybill/core'],
    others: ['ioredis'],
  },
  {
    folder: 'packages/testing',
    ours: ['@waybill/core'],
    others: [],
  },
  {
    folder: 'packages/quickwms-events',
    ours: ['@waybill/core', '@waybill/postgres', '@waybill/redis'],
    others: ['zod'],
    mayReexport: true,
  },
  {
    folder: 'examples/warehouse',
    ours: ['@quickwms/events'],
    others: ['@electric-sql/pglite', 'csv-parse', 'ioredis', 'pg', 'zod'],
  },
  {
    folder: 'benchmarks',
    ours: ['@quickwms/events', '@waybill/core', '@waybill/postgres', '@waybill/redis'],
    others: ['@electric-sql/pglite', 'bullmq', 'ioredis', 'pg', 'tinybench'],
  },
];
