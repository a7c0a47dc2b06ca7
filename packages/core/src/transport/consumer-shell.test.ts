import { describe, expect, it } from 'vitest';

import { EventError } from '../errors.ts';
import { ManualClock } from '../memory/manual-clock.ts';
import type { Observation } from '../observer.ts';
import { ConsumerShell, type Repetition } from './consumer-shell.ts';
import type { RevocableDelivery } from './outlet.ts';
import type { Subscription } from './transport.ts';

type Step = 'again' | 'wait' | 'done' | Error;

/** A consumer whose steps a test lays out; it waits behind the last. */
class ScriptedConsumer extends ConsumerShell<RevocableDelivery> {
  readonly steps: Step[];
  taken = 0;
  ends = 0;
  readonly #given: Partial<Repetition>;

  constructor(
    options: ConstructorParameters<typeof ConsumerShell>[0],
    steps: Step[],
    given: Partial<Repetition>,
  ) {
    super(options);
    this.steps = steps;
    this.#given = given;
    this.start();
  }

  protected override async run(): Promise<void> {
    await this.repeat({ source: this.source(), work: () => this.#step(), ...this.#given });
  }

  protected override async end(): Promise<void> {
    this.ends += 1;
    await super.end();
  }

  async #step(): Promise<'again' | 'wait' | 'done'> {
    const step = this.steps[this.taken] ?? 'wait';
    this.taken += 1;
    if (step instanceof Error) throw step;
    return step;
  }
}

const away = new EventError('TRANSPORT_UNAVAILABLE', 'away', { transport: 'memory' });
const refused = new EventError('STORE_REJECTED', 'refused', {});

function consume(steps: Step[], given: Partial<Repetition> = {}) {
  const clock = new ManualClock(0);
  const observed: Observation[] = [];
  const troubles: unknown[] = [];
  const delivered: unknown[] = [];
  const subscription: Subscription = {
    group: 'billing',
    patterns: ['*'],
    start: 'latest',
    maxInFlight: 2,
    worker: 'worker-1',
    onTrouble: (error) => void troubles.push(error),
  };
  const consumer = new ScriptedConsumer(
    {
      subscription,
      deliver: (delivery) => void delivered.push(delivery),
      clock,
      observe: (observation) => void observed.push(observation),
      transport: 'memory',
      retryMs: 100,
    },
    steps,
    given,
  );
  return { clock, observed, troubles, delivered, consumer };
}

describe('the shell of a consumer', () => {
  it('goes on at once while there is something to do, and then waits to be woken', async () => {
    const { clock, consumer } = consume(['again', 'again', 'wait', 'again']);
    await clock.advance(0);
    expect(consumer.taken).toBe(3);
    consumer.wake.call();
    await clock.advance(0);
    expect(consumer.taken).toBe(5);
    await consumer.close();
  });

  it('waits no longer than it is told to, and is woken before that', async () => {
    const { clock, consumer } = consume(['wait', 'wait', 'wait'], { waitAtMostMs: 50 });
    await clock.advance(0);
    await clock.advance(49);
    expect(consumer.taken).toBe(1);
    await clock.advance(1);
    expect(consumer.taken).toBe(2);
    consumer.wake.call();
    await clock.advance(0);
    expect(consumer.taken).toBe(3);
    await clock.advance(49);
    expect(consumer.taken).toBe(3);
    await consumer.close();
  });

  it('goes on after failures that pass, later and later, and tells of each and of the recovery', async () => {
    const { clock, consumer, observed, troubles } = consume([away, away, away, 'again']);
    await clock.advance(0);
    expect([consumer.taken, troubles]).toEqual([1, [away]]);
    await clock.advance(100);
    expect(consumer.taken).toBe(2);
    await clock.advance(199);
    expect(consumer.taken).toBe(2);
    await clock.advance(1);
    expect(consumer.taken).toBe(3);
    await clock.advance(400);
    expect(troubles).toEqual([away, away, away, undefined]);
    const failed = { kind: 'consume-failed', group: 'billing', error: away };
    expect(observed).toEqual([failed, failed, failed]);
    await consumer.close();
  });

  it('has recovered also when it finds nothing to do', async () => {
    const { clock, consumer, troubles } = consume([away, 'wait']);
    await clock.advance(0);
    await clock.advance(100);
    expect(troubles).toEqual([away, undefined]);
    await consumer.close();
  });

  it('ends for good after other failures, and says what that was', async () => {
    const { consumer, observed } = consume(['again', refused]);
    await expect(consumer.finished).rejects.toBe(refused);
    expect(observed).toEqual([{ kind: 'consume-failed', group: 'billing', error: refused }]);
    await consumer.close();
  });

  it('lets a repetition say which failures pass, and mend what it can', async () => {
    const mended: unknown[] = [];
    const { clock, consumer } = consume([refused, 'wait'], {
      passes: () => true,
      afterFailure: async (error) => void mended.push(error),
    });
    await clock.advance(0);
    await clock.advance(100);
    expect([consumer.taken, mended]).toEqual([2, [refused]]);
    await consumer.close();
  });

  it('is finished when all is done', async () => {
    const { consumer } = consume(['again', 'done']);
    await consumer.finished;
    expect(consumer.taken).toBe(2);
  });

  it('hands out nothing once it closes, whatever a read brings meanwhile', async () => {
    const { consumer, delivered } = consume(['wait']);
    const closing = consumer.close();
    consumer.resume();
    consumer.outlet.add([{} as RevocableDelivery]);
    consumer.outlet.handOut();
    await closing;
    expect([consumer.outlet.room, delivered]).toEqual([0, []]);
  });

  it('closes once, in the middle of a wait or of a pause after a failure, and tells no more', async () => {
    for (const steps of [['wait'], [away]] as Step[][]) {
      const { clock, consumer, troubles } = consume(steps);
      await clock.advance(0);
      const told = troubles.length;
      const closing = consumer.close();
      expect(consumer.close()).toBe(closing);
      await closing;
      await consumer.finished;
      expect([consumer.ends, clock.waiting, troubles.length]).toEqual([1, 0, told]);
    }
  });
});
