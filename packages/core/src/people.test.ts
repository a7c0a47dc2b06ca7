import { afterEach, describe, expect, it, vi } from 'vitest';

import { aboutMessage } from './event/about-event.ts';
import { EventError } from './errors.ts';
import { silentLogger, type Logger, type Observation, type Observer } from './observer.ts';
import { observeFor } from './people.ts';

afterEach(() => vi.restoreAllMocks());

const labels = {
  ...aboutMessage({ type: 'item.graded', id: 'e1', key: 'item-1' }, 'graders', 'grade'),
  source: 'scales',
  correlationId: 'c1',
  attempt: 2,
};
const coordinates = { transport: 'memory', stream: 'memory', position: '7' };
const failed: Observation = {
  kind: 'attempt-failed',
  ...labels,
  attempt: 2,
  error: new Error('no'),
  willRetryInMs: 400,
  coordinates,
};

function logging(silence: readonly string[] = []) {
  const lines: [level: string, details: object, words: string][] = [];
  const say =
    (level: string) =>
    (details: object, words: string): void =>
      void lines.push([level, details, words]);
  const logger: Logger = {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
  };
  return { observe: observeFor({ logger, silence }), lines };
}

describe('people', () => {
  it('hear that a consumer has ended by itself', () => {
    const { observe, lines } = logging();
    const ended = { kind: 'consumer-ended', group: 'graders', error: new Error('gone') } as const;
    observe(ended);
    const words = 'the consumer of graders has ended, and takes nothing any more: gone';
    expect(lines).toEqual([['error', { ...ended, code: 'CONSUMER_ENDED' }, words]]);
  });

  it('hear of each failed attempt and each dead letter, with everything that is known of the event', () => {
    const { observe, lines } = logging();
    observe(failed);
    const error = new EventError('HANDLER_FAILED', 'it failed', { handler: 'grade' });
    observe({ kind: 'dead-lettered', ...labels, error, coordinates });
    expect(lines).toEqual([
      [
        'warn',
        { ...failed, code: 'ATTEMPT_FAILED' },
        'item.graded e1 from scales (key item-1): attempt 2 of handler grade failed, and is tried again in 400 ms: no',
      ],
      [
        'error',
        expect.objectContaining({ ...labels, code: 'DEAD_LETTERED' }),
        'item.graded e1 from scales (key item-1) is a dead letter of group graders: HANDLER_FAILED: it failed',
      ],
    ]);
  });

  it('hear of what is tried again and again now and then only', () => {
    const { observe, lines } = logging();
    for (let tries = 0; tries < 100; tries += 1) {
      observe({ kind: 'handover-failed', group: 'graders', error: new Error('away') });
    }
    observe({ kind: 'handover-failed', group: 'pricers', error: new Error('away') });
    expect(lines).toHaveLength(2);
  });

  it('hear of a gap as an error', () => {
    const { observe, lines } = logging();
    observe({ kind: 'warning', code: 'LOG_GAP', message: 'rows are gone' });
    expect(lines).toMatchObject([['error', { code: 'LOG_GAP' }, 'rows are gone']]);
  });

  it('without a logger are warned by the process, once of each code, and of no mere advice', () => {
    const emitWarning = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const observe = observeFor({ silence: ['EVENTS_LOST'] });
    const other = observeFor({});
    for (const tell of [observe, other]) {
      tell(failed);
      tell({ kind: 'warning', code: 'SLOW_HANDLER', message: 'advice' });
      tell({ kind: 'warning', code: 'STALLED_READER', message: 'trouble' });
    }
    observe({
      kind: 'lost',
      transport: 'redis',
      stream: 'item',
      group: 'graders',
      reason: 'dropped',
      until: '7-0',
    });
    expect(emitWarning.mock.calls.map(([words, options]) => [words, options])).toEqual([
      [
        expect.stringContaining('attempt 2 of handler grade failed'),
        { type: 'WaybillWarning', code: 'ATTEMPT_FAILED' },
      ],
      ['trouble', { type: 'WaybillWarning', code: 'STALLED_READER' }],
    ]);
  });

  it('may have a logger that throws, which breaks nothing', () => {
    const logger = { ...silentLogger, warn: () => expect.fail('logger bug') };
    expect(() => observeFor({ logger })(failed)).not.toThrow();
  });
});

describe('what a transport says', () => {
  const warning: Observation = { kind: 'warning', code: 'NEW_GROUP_STARTS', message: 'it is new' };
  const lost: Observation = {
    kind: 'lost',
    transport: 'redis',
    stream: 'item',
    group: 'graders',
    reason: 'dropped',
    until: '7-0',
  };

  function logged(silence: readonly string[] = []) {
    const seen: Observation[] = [];
    const lines: string[] = [];
    const say = (_: object, message: string) => void lines.push(message);
    const logger = { ...silentLogger, warn: say, error: say };
    const observer: Observer = (observation) => void seen.push(observation);
    return { observe: observeFor({ observer, logger, silence }), seen, lines };
  }

  it('is told the observer, and warnings and losses are written as well', () => {
    const { observe, seen, lines } = logged();
    const told: Observation[] = [warning, lost, { ...lost, group: undefined, after: '2-0' }];
    for (const each of [...told, { kind: 'took-over', group: 'graders', what: 'x' } as const]) {
      observe(each);
    }
    expect(seen.slice(0, 3)).toEqual(told);
    expect(seen).toHaveLength(4);
    expect(lines).toEqual([
      'it is new',
      'item has lost 7-0, which graders had not finished',
      'item has lost what lay behind 2-0, up to 7-0, which any group had not finished',
    ]);
  });

  it('is not written where it was said to be silenced', () => {
    const { observe, seen, lines } = logged(['NEW_GROUP_STARTS']);
    observe(warning);
    expect({ seen, lines }).toEqual({ seen: [warning], lines: [] });
  });
});
