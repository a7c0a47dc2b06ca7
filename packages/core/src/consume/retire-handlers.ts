import { handoverQueues } from './kept-work.ts';
import type { ConsumerGroupOptions } from './consumer-group-options.ts';
import { EventError } from '../errors.ts';
import { handlerKey } from './handler-share.ts';
import {
  assertRetirement,
  type HandoverQueue,
  type Retirement,
} from '../transport/handover-queue.ts';
import { assertKnownOptions, type OptionNames } from '../options.ts';
import type { GroupRegistry, RegistryCopy } from '../transport/group-registry.ts';

/** What does not come back: a handler, by its name in the group, or every handler of a service. */
export type RetireOptions = Retirement &
  ({ readonly handler: string } | { readonly service: string });

const retireOptions: OptionNames<RetireOptions> = {
  handler: true,
  service: true,
  by: true,
  reason: true,
};

/**
 * As `retireHandlers`, for the group that the options are of.
 *
 * @throws {EventError} `CAPABILITY_MISSING` where nothing is left for other instances.
 */
export async function retireIn(
  groupOptions: ConsumerGroupOptions,
  options: RetireOptions,
): Promise<number> {
  const { transport, group } = groupOptions;
  const queues = handoverQueues(groupOptions);
  const { name, registry } = transport;
  if (group === null || !registry || queues.length === 0) {
    const message = `group ${group ?? 'broadcast'} leaves nothing for other instances, so there is nothing to retire`;
    throw new EventError('CAPABILITY_MISSING', message, {
      transport: name,
      capability: 'registry',
    });
  }
  await transport.connect();
  return await retireHandlers({ group, registry, queues }, options);
}

/**
 * Gives up handlers that do not come back: what waits for them ends as skipped, and nothing is left for them
 * any more, until an instance registers them again.
 *
 * @returns How many events were waiting.
 * @throws {TypeError} If it is not said what is given up, by whom, or why.
 */
async function retireHandlers(
  {
    group,
    registry,
    queues,
  }: { group: string; registry: GroupRegistry; queues: readonly HandoverQueue[] },
  options: RetireOptions,
): Promise<number> {
  assertKnownOptions<RetireOptions>('retire', options, retireOptions);
  assertRetirement(options);
  const names = namesOf(options, await registry.read(group));
  for (const { service, name } of names.registered) await registry.retire(group, { service, name });
  let skipped = 0;
  const { by, reason } = options;
  for (const queue of queues) {
    for (const key of names.keys) skipped += await queue.retire(group, key, { by, reason });
  }
  return skipped;
}

interface Names {
  /** As their services have registered them. */
  readonly registered: readonly { readonly service: string; readonly name: string }[];
  /** As they are called in the group. */
  readonly keys: readonly string[];
}

function namesOf(options: RetireOptions, { owner, sets }: RegistryCopy): Names {
  const all = sets.flatMap(({ service, handlers }) =>
    handlers.map(({ name }) => ({ service, name, key: handlerKey(name, service, owner) })),
  );
  const isIt = (each: (typeof all)[number]): boolean =>
    'handler' in options ? each.key === options.handler : each.service === options.service;
  const registered = all.filter(isIt);
  if (!('handler' in options) && typeof options.service !== 'string') {
    throw new TypeError('retire: say which handler or which service does not come back');
  }
  // What waits for a handler that is registered no longer can be given up as well.
  const keys = 'handler' in options ? [options.handler] : registered.map(({ key }) => key);
  return { registered, keys: [...new Set(keys)] };
}
