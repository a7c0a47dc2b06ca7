import { qualified } from '../client/sql-names.ts';

/** Quoted names of the log's tables. */
export interface LogTables {
  readonly log: string;
  readonly head: string;
  readonly group: string;
  readonly consumer: string;
  readonly mark: string;
  /** Version and owner of each group's registry, and the handlers that are registered in it. */
  readonly registry: string;
  readonly handlers: string;
}

export function logTables(schema: string): LogTables {
  return {
    log: qualified(schema, 'event_log'),
    head: qualified(schema, 'event_log_head'),
    group: qualified(schema, 'event_log_group'),
    consumer: qualified(schema, 'event_log_consumer'),
    mark: qualified(schema, 'event_log_mark'),
    registry: qualified(schema, 'event_group'),
    handlers: qualified(schema, 'event_group_handlers'),
  };
}

/** Name of the one stream that the log is. */
export const logStream = 'event_log';

/** Kind of this transport, in coordinates and capabilities. */
export const logTransport = 'postgres-log';

/** Where a message lies, as one word. */
export function positionOf(partition: number, offset: bigint): string {
  return `${partition}-${offset}`;
}
