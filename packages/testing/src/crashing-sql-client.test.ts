import { describe, expect, it } from 'vitest';

import { CrashPoints } from './crash-points.ts';
import { crashingSqlClient } from './crashing-sql-client.ts';

interface Transaction {
  query(text: string, params?: readonly unknown[]): Promise<string>;
  readonly finished: boolean;
}

/** Writes down what reaches the database. */
class RecordingClient {
  readonly dialect = 'recording';
  readonly #seen: string[] = [];

  get seen(): readonly string[] {
    return this.#seen;
  }

  async query(text: string): Promise<string> {
    this.#seen.push(text);
    return `result of ${text}`;
  }

  async run<T>(work: (tx: Transaction) => Promise<T>, options?: { limit: number }): Promise<T> {
    this.#seen.push(`BEGIN ${options?.limit ?? ''}`.trim());
    const tx = { query: (text: string) => this.query(text), finished: false };
    try {
      const result = await work(tx);
      this.#seen.push('COMMIT');
      return result;
    } catch (error) {
      this.#seen.push('ROLLBACK');
      throw error;
    }
  }
}

/** Crashes once and leaves what comes after it to whoever looks. */
function crashOnce(): () => void {
  return () => {
    throw new Error('crashed');
  };
}

describe('a crashing SQL client', () => {
  it('records statements that write and every commit, and passes all of them on', async () => {
    const points = new CrashPoints();
    const inner = new RecordingClient();
    const client = crashingSqlClient(inner, points);

    await client.query('SELECT 1');
    await client.query('INSERT INTO loose VALUES (1)');
    const result = await client.run(
      async (tx) => {
        expect(tx.finished).toBe(false);
        await tx.query('SELECT 2');
        await tx.query('INSERT INTO a VALUES (1)');
        return await tx.query('DELETE FROM b');
      },
      { limit: 7 },
    );

    expect(result).toBe('result of DELETE FROM b');
    expect(client.dialect).toBe('recording');
    expect(points.names).toEqual([
      'INSERT loose',
      'INSERT a',
      'DELETE b',
      'COMMIT (INSERT a, DELETE b)',
    ]);
    expect(inner.seen).toEqual([
      'SELECT 1',
      'INSERT INTO loose VALUES (1)',
      'BEGIN 7',
      'SELECT 2',
      'INSERT INTO a VALUES (1)',
      'DELETE FROM b',
      'COMMIT',
    ]);
  });

  it('counts the commit of a transaction that only calls functions', async () => {
    const points = new CrashPoints();

    await crashingSqlClient(new RecordingClient(), points).run((tx) => tx.query('SELECT append()'));

    expect(points.names).toEqual(['COMMIT']);
  });

  it('does not count a commit that never came', async () => {
    const points = new CrashPoints();
    const client = crashingSqlClient(new RecordingClient(), points);

    await client.run(() => Promise.reject(new Error('no'))).catch(() => undefined);

    expect(points.names).toEqual([]);
  });

  it('crashes before the commit reaches the database', async () => {
    const inner = new RecordingClient();
    const points = new CrashPoints({ point: 'COMMIT (INSERT a)', moment: 'before' }, crashOnce());

    await expect(
      crashingSqlClient(inner, points).run((tx) => tx.query('INSERT INTO a VALUES (1)')),
    ).rejects.toThrow('crashed');

    expect(inner.seen).not.toContain('COMMIT');
  });

  it('crashes after the commit and before its caller hears of it', async () => {
    const inner = new RecordingClient();
    const points = new CrashPoints({ point: 'COMMIT (INSERT a)', moment: 'after' }, crashOnce());

    await expect(
      crashingSqlClient(inner, points).run((tx) => tx.query('INSERT INTO a VALUES (1)')),
    ).rejects.toThrow('crashed');

    expect(inner.seen.at(-1)).toBe('COMMIT');
  });
});
