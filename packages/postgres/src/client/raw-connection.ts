import type { SqlResult, StatementOptions } from './sql-client.ts';

/** What both drivers tell about a statement; `command` is the first word of the server's answer. */
export interface RawResult<Row> extends SqlResult<Row> {
  readonly command: string | undefined;
}

/** One session of a database, errors already mapped. */
export interface RawConnection {
  execute<Row extends object = Record<string, unknown>>(
    text: string,
    params?: readonly unknown[],
    options?: StatementOptions,
  ): Promise<RawResult<Row>>;
  /** Says that the session is in an unknown state and must not be used again. */
  discard(): void;
}
