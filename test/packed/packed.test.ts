import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { unpackAll, unpackingDeadlineMs, type UnpackedFolder } from './unpack.ts';

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

const serviceWithoutClient = `
import { RedisStreamEventBus } from '@quickwms/events';

const bus = new RedisStreamEventBus({ serviceName: 'quickgradez', redis: { host: 'nowhere.invalid' } });
await bus.connect().catch((error) => console.log(error.message));
await bus.shutdown();
`;

describe('the packages as they are published', () => {
  let folder: UnpackedFolder;
  beforeAll(async () => {
    folder = await unpackAll(['@electric-sql/pglite', '@standard-schema/spec', 'zod']);
  }, unpackingDeadlineMs);
  afterAll(() => folder?.remove());

  it('bring all that a service needs, migrations included', async () => {
    await writeFile(join(folder.path, 'service.mjs'), service);
    expect(await folder.runModule('service.mjs')).toBe('A\n');
  }, 60_000);

  it('name the client of Redis that a service has not installed, once it connects', async () => {
    await writeFile(join(folder.path, 'without-client.mjs'), serviceWithoutClient);
    expect(await folder.runModule('without-client.mjs')).toMatch(
      /CAPABILITY_MISSING.*npm install ioredis/,
    );
  }, 60_000);
});
