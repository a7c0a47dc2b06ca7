import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { describeTransport } from '@waybill/core/conformance';
import type { TransportConformanceOptions } from '@waybill/core/conformance';
import type { EventBus } from '@waybill/core';
import { MemoryDeadLetterQueue } from '@waybill/core/memory';
import { describe, expect, it } from 'vitest';

import { collectCases } from '../../packages/core/src/conformance/faults/collect-cases.ts';
import { layOutFiles, type Change } from './page-files.ts';

const page = 'docs/guides/write-an-adapter.md';

/** What the files of the page export, as far as it is used here. */
interface ToyModules {
  readonly ToyServer: new () => object;
  readonly ToyEventBus: new (options: object) => EventBus;
  readonly toy: TransportConformanceOptions;
}

function load<Name extends keyof ToyModules>(
  folder: string,
  file: string,
): Promise<Pick<ToyModules, Name>> {
  return import(pathToFileURL(join(folder, file)).href);
}

const sound = await layOutFiles(page, 'write-an-adapter');
// The page's own test: it runs the suites of transports and of delivery, and plants faults.
await load(sound, 'toy.test.ts');

/** Makes the adapter of the page wrong in one place, and runs the case that has to notice. */
async function runOn(wrong: string, change: Change, noticedBy: string): Promise<void> {
  const folder = await layOutFiles(page, `wrong-${wrong.replaceAll(' ', '-')}`, change);
  const { toy } = await load<'toy'>(folder, 'toy-subject.ts');
  const options = { ...toy, timeoutMs: 500 };
  const cases = collectCases((api) => describeTransport('toy', options, api));
  await cases.find(({ name }) => name === noticedBy)!.run();
}

describe('the adapter of the page', () => {
  it('passes under the test runner of Node, and skips nothing without a reason', async () => {
    const args = ['--conditions=source', '--test', '--test-reporter=tap', 'toy.node.test.ts'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: sound });
    expect(stdout).toMatch(/^# pass [1-9]/m);
    expect(stdout).toMatch(/^# fail 0$/m);
    const skipped = stdout.split('\n').filter((line) => line.endsWith('# SKIP'));
    expect(skipped.filter((line) => !/\(skipped: .+\)/.test(line))).toEqual([]);
  }, 120_000);

  it('carries events from a bus to a handler', async () => {
    const { ToyServer } = await load<'ToyServer'>(sound, 'toy-server.ts');
    const { ToyEventBus } = await load<'ToyEventBus'>(sound, 'toy-bus.ts');
    const deadLetters = new MemoryDeadLetterQueue();
    const bus = new ToyEventBus({ serviceName: 'shop', server: new ToyServer(), deadLetters });
    const handled = Promise.withResolvers<unknown>();
    await bus.connect();
    await bus.subscribe(['order.placed'], (event) => handled.resolve(event.data));
    await bus.start();
    await bus.publish({
      id: '1',
      source: 'shop',
      specversion: '1.0',
      type: 'order.placed',
      datacontenttype: 'application/json',
      time: '2026-03-01T12:00:00.000Z',
      subject: 'order-1',
      version: 1,
      data: { total: 12.5 },
    });
    expect(await handled.promise).toEqual({ total: 12.5 });
    await bus.shutdown();
  });
});

describe('the suite, on an adapter of the page that is wrong in one place', () => {
  it.each<[string, Change, string, RegExp]>([
    [
      'keeps the bytes of its publishers',
      { file: 'toy-transport.ts', from: 'sendable.map(ownMessage)', to: 'sendable' },
      'is not disturbed by a publisher that reuses its buffer',
      /^headers of /,
    ],
    [
      'takes no message for a repeated one',
      {
        file: 'toy-consumer.ts',
        from: 'mayBeRepeated: offset < position.handed',
        to: 'mayBeRepeated: false',
      },
      'says of what a consumer has left that it may be repeated',
      /mayBeRepeated must be true, and is not of /,
    ],
    [
      'gives nothing up when it closes',
      { file: 'toy-consumer.ts', from: 'await super.end();', to: 'await this.finished;' },
      'aborts the signal of what was unsettled at the close, and of nothing else',
      /aborted when it was given up/,
    ],
    [
      'sends what is behind a refused message of its key',
      {
        file: 'toy-transport.ts',
        from: 'publishSendable(messages,',
        to: '((all, send) => send(all))(messages,',
      },
      'refuses a message that it cannot carry, holds back its key, and takes the rest of the call',
      /one outcome for each message/,
    ],
    [
      'claims counts that it does not have',
      { file: 'toy-transport.ts', from: 'deliveryCounts: false', to: 'deliveryCounts: true' },
      'fills in a delivery count and a fence exactly if it claims them',
      /deliveryCount is undefined, where deliveryCounts is true/,
    ],
  ])('names what is wrong where it %s', async (wrong, change, noticedBy, message) => {
    await expect(runOn(wrong, change, noticedBy)).rejects.toThrow(message);
  });
});
