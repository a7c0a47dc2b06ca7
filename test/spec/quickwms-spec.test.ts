import { describe, expect, it } from 'vitest';

import { compileBlocks, type Exception } from './compile-blocks.ts';
import exceptions from './exceptions.json' with { type: 'json' };
import { readSpecBlocks } from './spec-blocks.ts';
import { surroundings } from './surroundings.ts';
import waiting from './waiting.json' with { type: 'json' };

const blocks = readSpecBlocks('quickwms-events');
const typescript = blocks.filter(({ language }) => language === 'typescript');
const waitingHashes = new Set(waiting.map(({ hash }) => hash));

/** As many as there are blocks that cannot be TypeScript as printed. */
const mostExceptions = 10;
/** As many as there were when the list was opened, without those that run by now. It may only shrink. */
const mostWaiting = 2;

describe('the warehouse specification', () => {
  it('has the blocks that were agreed', () => {
    expect(typescript).toHaveLength(25);
    expect(new Set(blocks.map(({ hash }) => hash)).size).toBe(blocks.length);
  });

  it('has exceptions, surroundings and waiting blocks only for blocks that it prints', () => {
    const printed = new Set(blocks.map(({ hash }) => hash));
    const named = [...exceptions, ...waiting].map(({ hash }) => hash);
    expect([...named, ...Object.keys(surroundings)].filter((hash) => !printed.has(hash))).toEqual(
      [],
    );
  });

  it('has no new exception, and no new block that waits', () => {
    expect(exceptions.length).toBeLessThanOrEqual(mostExceptions);
    expect(waiting.length).toBeLessThanOrEqual(mostWaiting);
  });

  it('compiles against the built package, block by block, as printed', async () => {
    const due = typescript.filter(({ hash }) => !waitingHashes.has(hash));
    expect(due.length + waiting.length).toBe(typescript.length);
    expect(await compileBlocks(due, exceptions as Exception[], surroundings)).toBe('');
  }, 180_000);
});
