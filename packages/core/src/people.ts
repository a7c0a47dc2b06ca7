import type { EventLabels, Logger, Observation, Observer, WarningCode } from './observer.ts';
import { observeAll } from './observer.ts';
import { messageOfThrown } from './thrown.ts';

/** Who is told, beside whoever observes. */
export interface Audience {
  readonly observer?: Observer | undefined;
  /** Hears everything that people have to know. Without one, the first of each code is a warning of the process. */
  readonly logger?: Logger | undefined;
  /** Codes of what is meant to be so: neither logged nor made a warning of the process. */
  readonly silence?: readonly WarningCode[] | undefined;
}

/** A line for people. */
interface Line {
  readonly level: keyof Logger;
  readonly code: WarningCode;
  readonly words: string;
}

type Kind = Observation['kind'];
type Lines = { readonly [Name in Kind]?: (seen: Extract<Observation, { kind: Name }>) => Line };

/** What people are told of; whatever is missing here is counted only. What is told each time that it is tried again says so once a minute. */
const lines: Lines = {
  warning: ({ code, message }) => ({
    level: code === 'LOG_GAP' || code === 'LOG_RESTORED' ? 'error' : 'warn',
    code,
    words: message,
  }),
  'attempt-failed': (seen) => {
    const { willRetryInMs: inMs, attempt, handler, error } = seen;
    const next = inMs === null ? 'and is given up' : `and is tried again in ${Math.round(inMs)} ms`;
    const words = `${labelOf(seen)}: attempt ${attempt} of handler ${handler} failed, ${next}: ${messageOfThrown(error)}`;
    return { level: 'warn', code: 'ATTEMPT_FAILED', words };
  },
  'dead-lettered': (seen) => ({
    level: 'error',
    code: 'DEAD_LETTERED',
    words: `${labelOf(seen)} is a dead letter of group ${seen.group}: ${seen.error.message}`,
  }),
  'broadcast-failed': (seen) => ({
    level: 'error',
    code: 'BROADCAST_FAILED',
    words: `${labelOf(seen)}: a broadcast handler failed: ${messageOfThrown(seen.error)}`,
  }),
  'dead-letter-failed': ({ group, error }) => ({
    level: 'warn',
    code: 'DEAD_LETTER_FAILED',
    words: `a dead letter of group ${group} cannot be stored, and its event waits: ${messageOfThrown(error)}`,
  }),
  'handover-failed': ({ group, error }) => ({
    level: 'warn',
    code: 'HANDOVER_FAILED',
    words: `group ${group} cannot leave events for other instances, and they wait: ${messageOfThrown(error)}`,
  }),
  'handler-overdue': (seen) => ({
    level: 'warn',
    code: 'HANDLER_OVERDUE',
    words: `${labelOf(seen)}: handler ${seen.handler} runs on ${seen.overdueMs} ms past its timeout, and its key waits`,
  }),
  'left-unfinished': (seen) => ({
    level: 'warn',
    code: 'LEFT_UNFINISHED',
    words: `${labelOf(seen)} of group ${seen.group} was left unfinished; another worker gets it`,
  }),
  'stale-refused': ({ group, what }) => ({
    level: 'warn',
    code: 'STALE_REFUSED',
    words: `group ${group}: a ${what} of a former owner was refused`,
  }),
  'took-over': ({ group, what }) => ({
    level: 'info',
    code: 'TOOK_OVER',
    words: `group ${group} took over ${what}`,
  }),
  lost: (seen) => {
    const { stream, group = 'any group', after, until } = seen;
    const what = after === undefined ? until : `what lay behind ${after}, up to ${until}`;
    const words = `${stream} has lost ${what}, which ${group} had not finished`;
    return { level: 'error', code: 'EVENTS_LOST', words };
  },
  emptied: ({ destination }) => ({
    level: 'warn',
    code: 'DESTINATION_EMPTIED',
    words: `${destination} was emptied: what it had accepted, and nobody had handled, is lost`,
  }),
  'publish-refused': (seen) => ({
    level: 'warn',
    code: 'MESSAGE_REFUSED',
    words: `${seen.destination} does not take ${labelOf(seen)}: ${seen.error.message}`,
  }),
  'consumer-ended': ({ group, error }) => ({
    level: 'error',
    code: 'CONSUMER_ENDED',
    words: `the consumer of ${group} has ended, and takes nothing any more: ${messageOfThrown(error)}`,
  }),
  trouble: ({ who, words }) => ({ level: 'warn', code: troubleCodes[who], words }),
  recovered: ({ who, name, afterMs }) => ({
    level: 'warn',
    code: 'RECOVERED',
    words: `the ${who} of ${name} gets on again after ${afterMs} ms`,
  }),
};

const troubleCodes = {
  consumer: 'CONSUMER_TROUBLE',
  relay: 'RELAY_TROUBLE',
  publisher: 'PUBLISHER_TROUBLE',
  handler: 'HANDLER_OUTAGE',
  pruner: 'PRUNER_TROUBLE',
} as const;

/** What is observed at each try, so that people hear of it now and then only. */
const perTry: ReadonlySet<Kind> = new Set([
  'dead-letter-failed',
  'handover-failed',
  'prune-failed',
]);
/** How often, in milliseconds. */
const perTryEveryMs = 60_000;

/** Warnings of what goes wrong; others are advice, for those who have a logger. */
const serious: ReadonlySet<WarningCode> = new Set([
  'NOT_DURABLE',
  'TX_ELSEWHERE',
  'POOL_TOO_SMALL',
  'STALLED_READER',
  'LOG_GAP',
  'LOG_RESTORED',
  'GROUP_RECREATED',
  'TRIM_HELD_BACK',
  'BROKER_EVICTS',
  'GROUP_SHARED',
  'HANDLER_GONE',
  'HANDLER_RENAMED',
  'HANDOVERS_MISSING',
  'RETRIES_PILE_UP',
  'LOG_PRUNE_FAILED',
  'PRUNE_HELD_BACK',
]);

/** What this process has been warned of. */
const warned = new Set<WarningCode>();

/** Tells the observer everything, and people what they have to know although they may not have asked. */
export function observeFor({ observer, logger, silence = [] }: Audience): Observer {
  const silenced = new Set(silence);
  const toldAtMs = new Map<string, number>();
  const tellPeople = (seen: Observation): void => {
    const describe = lines[seen.kind] as ((seen: Observation) => Line) | undefined;
    if (!describe) return;
    if (perTry.has(seen.kind) && isTooSoon(toldAtMs, seen)) return;
    const { level, code, words } = describe(seen);
    if (silenced.has(code)) return;
    if (logger) logger[level]({ ...seen, code }, words);
    else if (isForProcess(level, code, seen.kind))
      process.emitWarning(words, { type: 'WaybillWarning', code });
  };
  return observeAll(observer ? [observer, tellPeople] : [tellPeople]);
}

/** The first of each code, of what is more than advice. */
function isForProcess(level: keyof Logger, code: WarningCode, kind: Kind): boolean {
  if (level === 'info' || warned.has(code)) return false;
  if (kind === 'warning' && !serious.has(code)) return false;
  warned.add(code);
  return true;
}

function isTooSoon(toldAtMs: Map<string, number>, seen: Observation): boolean {
  const name = `${seen.kind} ${'group' in seen ? seen.group : ''}`;
  const nowMs = performance.now();
  if (nowMs - (toldAtMs.get(name) ?? Number.NEGATIVE_INFINITY) < perTryEveryMs) return true;
  toldAtMs.set(name, nowMs);
  return false;
}

/** An event in words: what it is, which one, and whose. */
function labelOf({ eventType, eventId, source, key }: Partial<EventLabels>): string {
  const from = source ? ` from ${source}` : '';
  const ofKey = key ? ` (key ${key})` : '';
  return `${eventType || 'an event'} ${eventId || ''}${from}${ofKey}`;
}
