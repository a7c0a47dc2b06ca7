/**
 * What does the library cost over Redis Streams, compared with a loop that is written by hand?
 *
 * The limit is the raw loop of `redis/raw-loop.ts`, which has no checks, no retries, no dead letters and no
 * takeover; BullMQ runs beside it. Each contender has a process that publishes and one that consumes, and
 * gets the same events. Runs of one round follow each other, each round beginning with another contender;
 * printed is the median over rounds of the ratio to the limit of the same round, and how far it went down
 * and up. Where events were lost or handled twice, the figure is void.
 *
 * Flags, behind `node --conditions=source benchmarks/redis.bench.ts`: `--rounds`, `--events`, `--seconds`
 * (of the pace), `--only` (questions, by their numbers: `--only 1,4`), `--contenders`.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';

import { Redis } from 'ioredis';

import { interleave, median } from './measure.ts';
import { redisUrl } from './redis/contender.ts';
import { ContenderRun, type Run } from './redis/contender-run.ts';
import { envelopeOf } from './redis/graded-item.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    events: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '1,2,3,4' },
    contenders: { type: 'string', default: 'raw loop,waybill,bullmq' },
  },
});
const rounds = Number(options.rounds);
const count = Number(options.events);
const seconds = Number(options.seconds);
const only = options.only.split(',').map(Number);
const contenders = options.contenders.split(',');
const limit = contenders[0]!;
const product = 'waybill';

const eachSecond = 1_000;
const one = { count, inFlight: 256 };
const batches = { count, batchSize: 500 };
const oneTitle = `one by one, ${one.inFlight} in flight`;
const batchTitle = `batches of ${batches.batchSize}`;

/** One way of using a contender, and the figures that are taken from it. */
interface Usage {
  readonly run: (contender: ContenderRun) => Promise<Run>;
  readonly figures: readonly Figure[];
}

interface Figure {
  readonly question: number;
  readonly title: string;
  readonly of: (run: Run) => number;
  readonly unit: string;
  /** Of our ratio to the limit. */
  readonly target: string;
}

const questions = [
  'publish: what does a publisher get rid of, with nobody consuming?',
  'end to end: what comes through, from one process to another?',
  `latency: how long does an event take to its handler, at ${eachSecond.toLocaleString('en')} a second?`,
  'processor time: what do all processes take for 100,000 events end to end, Redis included?',
];

const rate = { of: (run: Run) => run.perSecond! / 1_000, unit: 'k/s' };
const cpu = { of: (run: Run) => run.cpuSeconds!, unit: 's' };

const usages: readonly Usage[] = [
  {
    run: (contender) => contender.publish(one),
    figures: [{ ...rate, question: 1, title: oneTitle, target: '≥ 0.85' }],
  },
  {
    run: (contender) => contender.publish(batches),
    figures: [{ ...rate, question: 1, title: batchTitle, target: '≥ 0.90' }],
  },
  {
    run: (contender) => contender.endToEnd(one),
    figures: [
      { ...rate, question: 2, title: oneTitle, target: '≥ 0.80' },
      { ...cpu, question: 4, title: oneTitle, target: '≤ 1.4' },
    ],
  },
  {
    run: (contender) => contender.endToEnd(batches),
    figures: [
      { ...rate, question: 2, title: batchTitle, target: '≥ 0.80' },
      { ...cpu, question: 4, title: batchTitle, target: '≤ 1.4' },
    ],
  },
  {
    run: (contender) => contender.drain(batches),
    figures: [{ ...rate, question: 2, title: 'drain of a backlog', target: '≥ 0.80' }],
  },
  {
    run: (contender) => contender.keepPace(seconds * eachSecond, eachSecond),
    figures: [
      { question: 3, title: 'median', of: (run) => run.p50Ms!, unit: 'ms', target: '≤ 1.3' },
      { question: 3, title: 'p99', of: (run) => run.p99Ms!, unit: 'ms', target: '≤ 1.5' },
    ],
  },
];

const redis = new Redis(redisUrl());
const prefix = `bench:${randomUUID().slice(0, 8)}:`;
const runs = new Map(
  contenders.map((name) => [name, new ContenderRun(name, redis, `${prefix}${name[0]}:`)]),
);

/** The runs of one usage, one record of contenders for each round. */
async function runsOf({ run }: Usage): Promise<Record<string, Run>[]> {
  const cases = [...runs].map(([name, contender]) => [name, () => run(contender)] as const);
  return await interleave(rounds, Object.fromEntries(cases));
}

function tableOf(figure: Figure, results: readonly Record<string, Run>[]): string {
  return contenders.map((name) => lineOf(name, figure, results)).join('\n');
}

function lineOf(name: string, figure: Figure, results: readonly Record<string, Run>[]): string {
  const { of, unit, target, title } = figure;
  const head = `  ${(name === limit ? title : '').padEnd(30)} ${name.padEnd(9)}`;
  const fault = results.map((round) => round[name]!.fault ?? round[limit]!.fault).find(Boolean);
  if (fault !== undefined) return `${head} void: ${fault}`;
  const value = median(results.map((round) => of(round[name]!)));
  const ratios = results.map((round) => of(round[name]!) / of(round[limit]!));
  const spread = `${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}`;
  return [
    `${head} ${value.toFixed(2).padStart(8)} ${unit.padEnd(3)}`,
    ...(name === limit ? [] : [`${median(ratios).toFixed(2).padStart(6)}  (${spread})`]),
    ...(name === product ? [`  target ${target}`] : []),
  ].join(' ');
}

try {
  const info = await redis.info('server');
  const [, version] = /redis_version:(\S+)/.exec(info)!;
  const [, sync] = (await redis.config('GET', 'appendfsync')) as string[];
  const envelope = envelopeOf(0);
  console.log(
    `events of ${JSON.stringify(envelope).length} bytes, ${JSON.stringify(envelope.data).length} of them data; ` +
      `Redis ${version} with appendfsync ${sync}, Node ${process.versions.node}; ` +
      `${rounds} rounds of ${count} events`,
  );
  const tables = new Map<number, string[]>();
  for (const usage of usages) {
    const figures = usage.figures.filter(({ question }) => only.includes(question));
    if (figures.length === 0) continue;
    const results = await runsOf(usage);
    for (const figure of figures) {
      const { question } = figure;
      tables.set(question, [...(tables.get(question) ?? []), tableOf(figure, results)]);
    }
    if (results.some((round) => Object.values(round).some(({ fault }) => fault))) {
      process.exitCode = 1;
    }
  }
  for (const [question, lines] of [...tables].toSorted(([a], [b]) => a - b)) {
    console.log(`\n${question}. ${questions[question - 1]}\n${lines.join('\n')}`);
  }
} finally {
  await Promise.all([...runs.values()].map((contender) => contender.end()));
  await redis.quit();
}
