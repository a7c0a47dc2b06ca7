/**
 * What does it cost to write and to read an event, compared with JSON alone?
 *
 * The limit is JSON.stringify and JSON.parse of the same event. Cases of one round run one after the
 * other, each round beginning with another one; printed is the median over rounds of the ratio to
 * the limit of the same round, so that a slow spell of the machine falls on both.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';

import { JsonCodec, type EventEnvelope } from '@waybill/core';
import { assertJson, checkEnvelope, isoTime } from '@waybill/core/adapter';
import { quickwmsProfile } from '@quickwms/events';

import { median } from './measure.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    events: { type: 'string', default: '4000' },
  },
});
const rounds = Number(options.rounds);
const eventsPerRound = Number(options.events);
const warmUpRounds = 10;
const poolSize = 64;

const codec = new JsonCodec({ profile: quickwmsProfile });
const pool = Array.from({ length: poolSize }, buildEvent);
const texts = pool.map((event) => codec.write(event));
const wires = texts.map((text) => JSON.parse(text) as unknown);
const messages = pool.map((event) => codec.encode(event));
const byteMessages = messages.map((message) => ({
  ...message,
  body: new TextEncoder().encode(message.body as string),
}));

/** What comes out of a case goes here, so that no work can be left out. */
let sink: unknown;

const cases: Record<string, (index: number) => void> = {
  'JSON.stringify + JSON.parse (the limit)': (index) => {
    sink = JSON.parse(JSON.stringify(wires[index]));
  },
  'publish path: build + check + stringify': () => {
    sink = codec.encode(buildEvent());
  },
  'consume path: parse + check': (index) => {
    sink = codec.decode(messages[index]!);
  },
  'consume path from bytes': (index) => {
    sink = codec.decode(byteMessages[index]!);
  },
  'JSON.stringify': (index) => {
    sink = JSON.stringify(wires[index]);
  },
  'JSON.parse': (index) => {
    sink = JSON.parse(texts[index]!);
  },
  'build the envelope': () => {
    sink = buildEvent();
  },
  'check the envelope': (index) => {
    checkEnvelope(pool[index]!, quickwmsProfile);
  },
  'check that data is JSON': (index) => {
    assertJson(pool[index]!.data, pool[index]!);
  },
};

function buildEvent(): EventEnvelope & { qlid: string; warehouseId: string } {
  const id = randomUUID();
  return {
    id,
    source: 'quickgradez',
    specversion: '1.0',
    type: 'item.graded',
    datacontenttype: 'application/json',
    time: isoTime(Date.now()),
    subject: '7a5c1be0-5a4f-4f5e-9f3a-0c1d6a3f9b11',
    correlationId: '0b0f6f0e-94a4-4d5c-8f0b-6f3d3f1f7a52',
    causationId: 'c3b6cf0a-37f5-4bb0-a1cc-90a3c4a4d0f7',
    userId: '9a1d2f53-6f0c-4df7-8c3b-5a2f7d9e1c64',
    version: 1,
    qlid: '123456789',
    warehouseId: 'PHX-01',
    metadata: { retryCount: 0, environment: 'production' },
    data: {
      itemId: '7a5c1be0-5a4f-4f5e-9f3a-0c1d6a3f9b11',
      qlid: '123456789',
      sku: 'KTC-4410-BLK',
      grade: 'B',
      previousGrade: null,
      gradedBy: '9a1d2f53-6f0c-4df7-8c3b-5a2f7d9e1c64',
      functional: true,
      estimatedValue: 129.99,
      defects: ['scratched lid', 'box damaged'],
      dimensions: { widthMm: 300, heightMm: 120, depthMm: 240, weightGrams: 1850 },
      notes: 'All accessories present, light scratches on the lid',
    },
  };
}

/** Processor time, so that what else runs on the machine counts as little as possible. */
function nanosecondsPerEvent(run: (index: number) => void): number {
  const before = process.cpuUsage();
  for (let index = 0; index < eventsPerRound; index += 1) run(index % poolSize);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / eventsPerRound;
}

function measure(): Map<string, { ratio: number; nanoseconds: number }> {
  const entries = Object.entries(cases);
  const times: Record<string, number>[] = [];
  for (let round = 0; round < warmUpRounds + rounds; round += 1) {
    const first = round % entries.length;
    const order = [...entries.slice(first), ...entries.slice(0, first)];
    const timesOfRound = order.map(([name, run]) => [name, nanosecondsPerEvent(run)] as const);
    if (round >= warmUpRounds) times.push(Object.fromEntries(timesOfRound));
  }
  const limit = entries[0]![0];
  return new Map(
    entries.map(([name]) => [
      name,
      {
        ratio: median(times.map((round) => round[limit]! / round[name]!)),
        nanoseconds: median(times.map((round) => round[name]!)),
      },
    ]),
  );
}

const bytes = Buffer.byteLength(texts[0]!);
const dataBytes = Buffer.byteLength(JSON.stringify(pool[0]!.data));
console.log(
  `one event of ${bytes} bytes, ${dataBytes} of them data; Node ${process.versions.node}`,
);
console.log(
  `${rounds} rounds of ${eventsPerRound} events; ratio above 1 is faster than the limit\n`,
);
for (const [name, { ratio, nanoseconds }] of measure()) {
  console.log(
    `${name.padEnd(42)} ${ratio.toFixed(2).padStart(6)} ${nanoseconds.toFixed(0).padStart(7)} ns`,
  );
}
if (sink === undefined) throw new Error('nothing was measured');
