import {
  EventPublisher,
  openPostgres,
  PostgresEventBus,
  PostgresEventStore,
  type EventEnvelope,
  type SqlClient,
} from '@quickwms/events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  createTestDatabase,
  hasPostgres,
  type TestDatabase,
} from '../../scripts/services/test-database.ts';
import { waitUntil } from '../../scripts/wait-until.ts';
import { runBlock } from './run-blocks.ts';
import { readSpecBlocks, sqlStatements } from './spec-blocks.ts';

const blocks = readSpecBlocks('quickwms-events');

describe.skipIf(!hasPostgres(18))('the blocks of the warehouse specification, run', () => {
  let testDatabase: TestDatabase;
  let database: SqlClient;
  let store: PostgresEventStore;
  let bus: PostgresEventBus;
  let lines: string[];

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = openPostgres({ connectionString: testDatabase.url });
    store = new PostgresEventStore({ client: database });
    await store.initialize();
    process.env['DATABASE_URL'] = testDatabase.url;
  });
  afterAll(async () => {
    delete process.env['DATABASE_URL'];
    await database.close();
    await testDatabase.drop();
  });
  beforeEach(() => {
    lines = [];
    vi.spyOn(console, 'log').mockImplementation(
      (...parts: unknown[]) => void lines.push(parts.map(String).join(' ')),
    );
    bus = new PostgresEventBus({ serviceName: `spec-${crypto.randomUUID()}`, client: database });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await bus.shutdown();
  });

  const storedTypes = async (correlationId: string): Promise<string[]> =>
    (await store.getByCorrelationId(correlationId)).map(({ type }) => type);

  /** A publisher beside the block, whose events the block is to receive. */
  async function publishBeside(
    event: Parameters<EventPublisher['publish']>[0],
  ): Promise<EventEnvelope> {
    const beside = new EventPublisher({
      serviceName: 'beside',
      eventBus: bus,
      eventStore: store,
    });
    const published = await beside.publish(event);
    await beside.shutdown();
    return published;
  }

  it('4.3 publishes, correlates, and publishes item events', async () => {
    const parentEvent = await publishBeside({ type: 'item.received', data: {} });
    const { publisher } = await runBlock('a8d9b6ed60', {
      imports: `import { ProcessingEvents } from '@quickwms/events';`,
      names: { bus, store, parentEvent },
      after: 'export { publisher };',
    });
    expect(await storedTypes(parentEvent.correlationId!)).toEqual([
      'item.received',
      'grading.task_created',
    ]);
    const life = await store.getByQlid('123456789');
    expect(life.map(({ type, userId }) => [type, userId])).toEqual([
      ['item.received', 'user-uuid'],
      ['item.received', undefined],
    ]);
    await (publisher as EventPublisher).shutdown();
  });

  it('4.4 subscribes by type, by types, by domain and with a schema', async () => {
    const { subscriber } = await runBlock('4e1284915c', {
      imports: `import { InboundEvents } from '@quickwms/events';`,
      names: { bus },
      after: 'export { subscriber };',
    });
    const data = { itemId: crypto.randomUUID(), qlid: '123456789', grade: 'A' as const };
    await publishBeside({ type: 'item.graded', correlationId: 'correlation-4.4', data });
    await waitUntil('the grade was printed', () => lines.includes('Grade: A'));
    expect(lines).toContain('Correlation ID: correlation-4.4');
    expect(lines).toContain('Any item event: item.graded');
    await (subscriber as { stop(): Promise<void> }).stop();
  });

  it('4.5 stores and reads', async () => {
    const event = await publishBeside({ type: 'item.sold', qlid: '987654321', data: {} });
    const {
      count,
      latestSeq,
      sequenceNumber,
      store: own,
    } = await runBlock('78f1aecbc2', {
      names: { event: { ...event, id: crypto.randomUUID() } },
      after: 'export { count, latestSeq, sequenceNumber, store };',
    });
    expect(sequenceNumber).toBe(latestSeq);
    expect(count).toBeTypeOf('number');
    await (own as PostgresEventStore).close();
  });

  it('5 has the constants, the domain and the stream of a type', async () => {
    const { eventType } = await runBlock('9fb3243979', { after: 'export { eventType };' });
    expect(eventType).toBe('item.received');
  });

  it('9 retries by a default and by a custom policy', async () => {
    const risky = vi.fn(async () => undefined);
    await runBlock('eaf699c584', {
      names: { externalApi: { call: async () => 42 }, riskyOperation: risky },
    });
    expect(risky).toHaveBeenCalledOnce();
  });

  it('11 writes, publishes and calls during a migration', async () => {
    const publisher = new EventPublisher({
      serviceName: 'dual',
      eventBus: bus,
      eventStore: store,
    });
    const createTask = vi.fn(async () => undefined);
    const { receiveItem } = await runBlock('5de59ee322', {
      imports: `import { InboundEvents } from '@quickwms/events';`,
      names: {
        publisher,
        db: { items: { create: async () => ({ id: 'item-11', qlid: '111111111' }) } },
        gradingApi: { createTask },
      },
      after: 'export { receiveItem };',
    });
    await (receiveItem as (data: object) => Promise<unknown>)({});
    expect(createTask).toHaveBeenCalledWith('item-11');
    expect((await store.getByQlid('111111111')).map(({ type }) => type)).toEqual(['item.received']);
    await publisher.shutdown();
  });

  it('12 publishes with a qlid', async () => {
    const publisher = new EventPublisher({
      serviceName: 'quickbidz',
      eventBus: bus,
      eventStore: store,
    });
    const before = (await store.getByQlid('123456789')).length;
    await runBlock('4d079838d2', { names: { publisher } });
    expect(await store.getByQlid('123456789')).toHaveLength(before + 1);
    await publisher.shutdown();
  });

  const runnable = blocks.filter(
    ({ language, code }) => language === 'sql' && !/CREATE TABLE/.test(code),
  );
  for (const { hash, section, code } of runnable) {
    for (const [index, statement] of sqlStatements(code).entries()) {
      it(`runs the SQL of "${section}", ${hash}, statement ${index + 1}`, async () => {
        await expect(database.query(statement)).resolves.toBeDefined();
      });
    }
  }
});
