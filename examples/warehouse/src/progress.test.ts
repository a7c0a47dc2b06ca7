import { describe, expect, it } from 'vitest';
import { aboveProgress, withProgress } from './progress.ts';

const soon = { firstAfterMs: 1, everyMs: 1 };

/** Keeps what is written, and ends the work once something was written so often. */
function watchedScreen(isTTY: boolean, enough: number) {
  const written: string[] = [];
  const work = Promise.withResolvers<string>();
  const write = (text: string) => {
    written.push(text);
    if (written.length === enough) work.resolve('done');
  };
  return { screen: { isTTY, columns: 20, write }, written, work };
}

describe('withProgress', () => {
  it('gives the result of the work, and says nothing when that was quick', async () => {
    const { screen, written } = watchedScreen(false, 1);

    expect(await withProgress(Promise.resolve(7), async () => 'half', screen)).toBe(7);
    expect(written).toEqual([]);
  });

  it('writes over one line of a terminal, no longer than that, and clears it in the end', async () => {
    const { screen, written, work } = watchedScreen(true, 2);
    const describeWork = async () => 'so many units received';

    expect(await withProgress(work.promise, describeWork, screen, soon)).toBe('done');
    expect(written).toEqual([
      '\r\u001B[K  so many units rec',
      '\r\u001B[K  so many units rec',
      '\r\u001B[K',
    ]);
  });

  it('writes whole lines where there is no terminal', async () => {
    const { screen, written, work } = watchedScreen(false, 1);

    await withProgress(work.promise, async () => 'half of it', screen, soon);
    expect(written[0]).toBe('  … half of it\n');
  });

  it('leaves it to the work to say why it failed, and never fails by itself', async () => {
    const { screen } = watchedScreen(true, 1);
    const broken = async () => {
      throw new Error('cannot look');
    };
    const work = new Promise((_, reject) => setTimeout(reject, 20, new Error('out of paper')));

    await expect(withProgress(work, broken, screen, soon)).rejects.toThrow('out of paper');
    expect(await withProgress(Promise.resolve(1), broken, screen, soon)).toBe(1);
  });
});

describe('aboveProgress', () => {
  it('lets a line take the place of the progress on a terminal, and leaves it as it is elsewhere', () => {
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    aboveProgress(say, watchedScreen(true, 1).screen)('a service has died');
    aboveProgress(say, watchedScreen(false, 1).screen)('another one');

    expect(said).toEqual(['\r\u001B[Ka service has died', 'another one']);
  });
});
