import { describe, expect, it } from 'vitest';

import { envelope } from '../../../test/envelope.ts';
import { delivery, invocation, registration } from '../../../test/invocation.ts';
import { turn } from '../../../test/until.ts';
import type { Handler, HandlerContext } from '../handler.ts';
import { currentScope } from '../../handler-scope.ts';
import { silentLogger } from '../../observer.ts';
import { invoke } from './invoke.ts';

const step = invoke({ group: 'graders', logger: silentLogger });

function calling(handler: Handler) {
  return invocation({ registration: registration({ handler }) });
}

describe('invoking a handler', () => {
  it('gives it the event and all that is known beside it', async () => {
    const event = envelope({ correlationId: 'c1', causationId: 'e0', subject: 'item-1' });
    const tx = {};
    let given: HandlerContext | undefined;
    const asked = invocation({
      registration: registration({ handler: (_, context) => void (given = context) }),
      delivery: delivery(event, { deliveryCount: 3 }),
      attempt: 2,
      tx,
    });
    await step(event, asked);
    expect(given).toEqual({
      group: 'graders',
      handler: 'grade',
      correlationId: 'c1',
      causationId: 'e0',
      attempt: { number: 2, delivery: 3 },
      signal: asked.abort.signal,
      tx,
      key: 'item-1',
      coordinates: asked.delivery.coordinates,
      logger: silentLogger,
    });
    expect(asked.progress.entered).toBe(true);
  });

  it('gives a signal that a copy of the context has, too, as middleware may hand it on', async () => {
    const signals: AbortSignal[] = [];
    const asked = calling((_, context) => void signals.push({ ...context }.signal, context.signal));
    await step(envelope(), asked);
    expect(signals).toEqual([asked.abort.signal, asked.abort.signal]);
  });

  it('has no transaction to give where there is none', async () => {
    let given: HandlerContext | undefined;
    await step(
      envelope(),
      calling((_, context) => void (given = context)),
    );
    expect(given && 'tx' in given).toBe(false);
  });

  it('rejects with whatever the handler threw, at once or later', async () => {
    await expect(
      step(
        envelope(),
        calling(() => {
          throw undefined;
        }),
      ),
    ).rejects.toBeUndefined();
    const late = new Error('late');
    await expect(
      step(
        envelope(),
        calling(() => Promise.reject(late)),
      ),
    ).rejects.toBe(late);
  });

  it('waits for a handler that returns something that only looks like a promise', async () => {
    let ended = false;
    const thenable = {
      then(resolve: () => void) {
        setImmediate(() => {
          ended = true;
          resolve();
        });
      },
    };
    await step(
      envelope(),
      calling(() => thenable as unknown as Promise<void>),
    );
    expect(ended).toBe(true);
  });

  it('puts the calls of the handler, however late, into its scope, whatever it does to its event', async () => {
    const tx = {};
    let scope: ReturnType<typeof currentScope>;
    const handler: Handler = async (event) => {
      event.id = 'another';
      await turn();
      scope = currentScope();
    };
    await step(envelope(), { ...calling(handler), tx });
    expect(scope).toMatchObject({ tx, event: { id: 'event-1' } });
    expect(currentScope()).toBeUndefined();
  });
});
