import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const ours = {
  '@waybill/core': 'core',
  '@waybill/postgres': 'postgres',
  '@quickwms/events': 'quickwms-events',
};
const others = ['@electric-sql/pglite', '@standard-schema/spec', 'zod'];

/** What a service does on its first day: migrate, publish, consume. Prints the grade that it received. */
const service = `
import { EventPublisher, EventSubscriber, openEmbedded, PostgresEventBus, PostgresEventStore } from '@quickwms/events';

const database = await openEmbedded('./data');
const store = new PostgresEventStore({ client: database });
await store.initialize();
const bus = new PostgresEventBus({ serviceName: 'quickgradez', client: database });
const publisher = new EventPublisher({ serviceName: 'quickgradez', eventBus: bus, eventStore: store });
const subscriber = new EventSubscriber(bus, { database });
const received = Promise.withResolvers();
subscriber.on('item.graded', (event) => received.resolve(event.data.grade), { inbox: true });
await subscriber.start();
await publisher.publish({ type: 'item.graded', qlid: '123456789', data: { grade: 'A' } });
console.log(await received.promise);
await publisher.shutdown();
await bus.shutdown();
await store.close();
await database.close();
`;

describe('the packages as they are published', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waybill-packed-'));
    await run('tsc', ['-b', 'packages/quickwms-events'], { cwd: root });
    for (const [name, directory] of Object.entries(ours)) await unpack(name, directory);
    for (const name of others) {
      const place = join(folder, 'node_modules', name);
      await mkdir(dirname(place), { recursive: true });
      await symlink(join(root, 'node_modules', name), place);
    }
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function unpack(name: string, directory: string): Promise<void> {
    const place = join(folder, 'node_modules', name);
    await mkdir(place, { recursive: true });
    const args = ['pack', '--json', '--pack-destination', folder];
    const { stdout } = await run('npm', args, { cwd: join(root, 'packages', directory) });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    await run('tar', ['-xzf', join(folder, filename), '-C', place, '--strip-components=1']);
  }

  it('bring all that a service needs, migrations included', async () => {
    await writeFile(join(folder, 'service.mjs'), service);
    const { stdout } = await run('node', ['service.mjs'], { cwd: folder });
    expect(stdout).toBe('A\n');
  }, 60_000);
});
