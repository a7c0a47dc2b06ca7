import { describe, expect, it } from 'vitest';

import { SerialQueue } from './serial-queue.ts';

describe('SerialQueue', () => {
  it('runs tasks one after the other, in the order in which they came, whatever becomes of them', async () => {
    const queue = new SerialQueue();
    const log: string[] = [];
    const task = (name: string, end: () => void) => async () => {
      log.push(`${name} begins`);
      await Promise.resolve();
      log.push(`${name} ends`);
      end();
    };
    const failed = queue.run(
      task('first', () => {
        throw new Error('no');
      }),
    );
    const done = queue.run(task('second', () => {}));

    await expect(failed).rejects.toThrow('no');
    await done;
    expect(log).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
  });

  it('never runs a task that was aborted while it waited', async () => {
    const queue = new SerialQueue();
    const abort = new AbortController();
    const blocker = Promise.withResolvers<void>();
    const first = queue.run(() => blocker.promise);
    let ran = false;
    const second = queue.run(async () => {
      ran = true;
    }, abort.signal);

    abort.abort(new Error('not any more'));
    await expect(second).rejects.toThrow('not any more');
    blocker.resolve();
    await first;
    await queue.run(async () => {});
    expect(ran).toBe(false);
  });

  it('lets timers fire while it is never empty', async () => {
    const queue = new SerialQueue();
    let fired = false;
    setTimeout(() => {
      fired = true;
    }, 1);
    let tasks = 0;
    const deadline = performance.now() + 10_000;
    while (!fired && performance.now() < deadline) {
      await queue.run(async () => {});
      tasks += 1;
    }

    expect(fired).toBe(true);
    expect(tasks).toBeGreaterThan(0);
  });
});
