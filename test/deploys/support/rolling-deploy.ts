import { expect } from 'vitest';

import { waitUntil } from '../../../scripts/wait-until.ts';
import type { Effect, VersionHandler } from '../workers/version.ts';
import { idsOf, numberOf, numbers, patienceMs, type DeployWorld } from './deploy-world.ts';

/** A deploy: an old version serves, a young one comes, and the old one goes. */
export interface RollingDeploy {
  readonly old: readonly VersionHandler[];
  /** Has one handler that `waits`: it is the young one's alone. */
  readonly young: readonly VersionHandler[];
  readonly types: readonly string[];
  /** What the handler that only the young one has is for, and what it is called. */
  readonly added: { readonly type: string; readonly handler: string };
  readonly ends: 'stopped' | 'killed';
  /** How many events of each type. */
  readonly count: number;
}

/** What a deploy has left. */
export interface DeployOutcome {
  /** Events that the handler of the young version alone must have had. */
  readonly owed: readonly string[];
  /** What waited for that handler when the old version was gone, and what was published after that. */
  readonly waited: readonly string[];
  readonly later: readonly string[];
  readonly effects: readonly Effect[];
}

/** Publishes all the while; what waits is let go when the old version is gone, and everything is published. */
export async function roll(world: DeployWorld, deploy: RollingDeploy): Promise<DeployOutcome> {
  const { types, count, added } = deploy;
  const [quarter, half, threeQuarters] = [count / 4, count / 2, (count * 3) / 4];
  const old = await world.start({ version: 'v1', handlers: deploy.old, workMs: 2 });
  await world.publish(types, numbers(1, quarter));
  // Takes too little by itself to leave nothing for the old one.
  const young = world.spawn({ version: 'v2', handlers: deploy.young, workMs: 2, maxInFlight: 10 });
  const start = new AbortController();
  const started = young.message('ready', patienceMs).then(() => start.abort());
  let last = quarter;
  while (!start.signal.aborted && last < half) await world.publish(types, [(last += 1)]);
  await started;
  const unsettled = await world.unsettled();
  await world.publish(types, numbers(last + 1, threeQuarters));
  await waitUntil('something waits', async () => (await world.waiting()).length > 0, patienceMs);
  if (deploy.ends === 'killed') await old.kill();
  else {
    old.signal('SIGTERM');
    await old.finished(patienceMs);
  }
  const waited = await world.waiting();
  const later = numbers(threeQuarters + 1, count);
  await world.publish(types, later);
  young.signal('SIGUSR2');
  await waitUntil('everything is handled', () => world.isCaughtUp(), patienceMs);
  const ofAdded = new Set(idsOf(added.type, numbers(1, count)));
  return {
    owed: [
      ...new Set([
        ...unsettled.filter((id) => ofAdded.has(id)),
        ...idsOf(added.type, numbers(last + 1, count)),
      ]),
    ],
    waited,
    later: idsOf(added.type, later),
    effects: await world.effects(),
  };
}

/** Expects that handlers have had what they must, each event once where there is an inbox. */
export async function expectNothingLost(
  world: DeployWorld,
  { types, count, added }: RollingDeploy,
  { owed, effects }: DeployOutcome,
  known: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [handler, type] of Object.entries(known)) {
    expect(types).toContain(type);
    expectHandled(world, effects, handler, idsOf(type, numbers(1, count)));
  }
  const had = handledBy(effects, added.handler);
  expect(owed.filter((id) => !had.includes(id))).toEqual([]);
  if (world.hasInbox) expect(had).toHaveLength(new Set(had).size);
  expect(effects.filter(({ by, handler }) => handler === added.handler && by !== 'v2')).toEqual([]);
  expect(await world.deadLetters()).toEqual([]);
}

/** Expects that a handler has had exactly these events, each once where there is an inbox. */
export function expectHandled(
  world: DeployWorld,
  effects: readonly Effect[],
  handler: string,
  ids: readonly string[],
): void {
  const had = handledBy(effects, handler);
  expect((world.hasInbox ? had : [...new Set(had)]).toSorted()).toEqual(ids.toSorted());
}

/** Expects that each handler has had the events of each key in the order in which they were published. */
export function expectOrder(effects: readonly Effect[]): void {
  for (const [lane, own] of Map.groupBy(effects, ({ handler, key }) => `${handler} ${key}`)) {
    for (const [type, ids] of Map.groupBy(
      new Set(own.map(({ eventId }) => eventId)),
      (id) => id.split('-')[0],
    )) {
      const had = ids.map(numberOf);
      expect(had, `${type} of ${lane}`).toEqual(had.toSorted((a, b) => a - b));
    }
  }
}

function handledBy(effects: readonly Effect[], handler: string): string[] {
  return effects.filter((effect) => effect.handler === handler).map(({ eventId }) => eventId);
}
