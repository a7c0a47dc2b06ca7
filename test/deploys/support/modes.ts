import { hasPostgres } from '../../../scripts/services/test-database.ts';
import { hasRedis } from '../../../scripts/services/test-redis.ts';

/** What carries the events, and where a service keeps what it has done. */
export type DeployMode = 'log' | 'streams and a database' | 'streams alone';

/** Where a mode has its servers. */
export interface Place {
  /** Absent for streams alone. */
  readonly databaseUrl?: string;
  /** Absent for the log. */
  readonly redisUrl?: string;
  readonly streamPrefix: string;
}

const all: readonly DeployMode[] = ['log', 'streams and a database', 'streams alone'];

/** The modes for which this run has servers; all of them where a missing one is a failure. */
export function deployModes(): DeployMode[] {
  return all.filter((mode) => {
    const hasDatabase = mode === 'streams alone' || hasPostgres();
    return hasDatabase && (mode === 'log' || hasRedis());
  });
}

/** The modes in which effects and the memory of them commit together. */
export const inboxModes = (): DeployMode[] =>
  deployModes().filter((mode) => mode !== 'streams alone');
