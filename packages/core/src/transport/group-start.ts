import type { GroupStart } from './transport.ts';

/** Says where a group begins, as in `group billing is new and begins with everything that is kept`. */
export function describeStart(start: GroupStart): string {
  if (start === 'earliest') return 'with everything that is kept';
  if (start === 'latest') return 'with what comes from now on';
  return `with what came since ${start.toISOString()}`;
}

/** @throws {TypeError} If a group cannot begin there. */
export function assertGroupStart(where: string, start: unknown): void {
  if (start === 'earliest' || start === 'latest') return;
  if (start instanceof Date && !Number.isNaN(start.getTime())) return;
  throw new TypeError(
    `${where}: start must be 'earliest', 'latest' or a valid Date, got ${String(start)}`,
  );
}

/** The same options, except that nobody else can move their time. */
export function withOwnStart<Options extends { start?: GroupStart }>(options: Options): Options {
  const { start } = options;
  return start instanceof Date ? { ...options, start: new Date(start) } : options;
}
