import { EventError, type PublishOutcome } from '@waybill/core';
import { accepted, destinationChanged, type Message } from '@waybill/core/adapter';
import { expect, it } from 'vitest';

import { AppendFailure, refused, type Appending } from './append-outcome.ts';
import { publishInParts } from './publish-parts.ts';
import { StreamNames } from './stream-names.ts';

const names = new StreamNames('test:');
const firstOfPart = [0, 500, 1_000];
const lost = failure('no answer within 5000 ms', { mayBeAccepted: true });
const full = failure('OOM command not allowed', { mayBeAccepted: false });

function failure(why: string, options: { mayBeAccepted: boolean }): AppendFailure {
  const error = new EventError('TRANSPORT_UNAVAILABLE', why, { transport: 'redis' });
  return new AppendFailure(error, options);
}

function message(number: number): Message {
  const contentType = 'application/cloudevents+json';
  return {
    id: `e-${number}`,
    type: 'item.received',
    key: `k-${number % 7}`,
    contentType,
    body: '',
  };
}

const sent = Array.from({ length: 1_200 }, (_, number) => message(number));

/** Accepts every part but the one at `at`. @returns The outcome of the first message of each part. */
async function publish(at: number, answer: (part: readonly Message[]) => Appending) {
  const parts: (readonly Message[])[] = [];
  const outcomes = await publishInParts(sent, async (part) => {
    parts.push(part);
    return parts.length - 1 === at ? answer(part) : part.map(({ id }) => accepted(id));
  });
  expect(outcomes).toHaveLength(sent.length);
  return { parts, outcomes, first: firstOfPart.map((index) => outcomes[index]!) };
}

it('does not know what became of a part whose answer got lost, and sends nothing behind it', async () => {
  const { parts, first, outcomes } = await publish(1, () => lost);
  expect(parts).toHaveLength(2);
  expect(first).toMatchObject([
    { status: 'accepted' },
    { status: 'unknown', error: { retryable: true, details: { eventId: 'e-500' } } },
    { status: 'refused', error: { retryable: true, details: { eventId: 'e-1000' } } },
  ]);
  expect(outcomes.filter(({ status }) => status === 'unknown')).toHaveLength(500);
});

it('says of all the rest that it may be tried again if the server takes nothing more', async () => {
  const { parts, first } = await publish(1, () => full);
  expect(parts).toHaveLength(2);
  const rest = { status: 'refused', error: { code: 'TRANSPORT_UNAVAILABLE', retryable: true } };
  expect(first).toMatchObject([{ status: 'accepted' }, rest, rest]);
});

it.each([lost, full])('fails if the first part does', async (first) => {
  await expect(publish(0, () => first)).rejects.toBe(first.error);
});

it('fails if another server has begun in the middle', async () => {
  const error = destinationChanged('redis/here', 'one', 'two');
  const changed = new AppendFailure(error, { mayBeAccepted: true });
  await expect(publish(2, () => changed)).rejects.toBe(error);
});

it('sends of later parts what waits behind no refused message, and says of the others for what they wait', async () => {
  const { parts, outcomes } = await publish(0, (part) =>
    part.map((each, index): PublishOutcome => {
      return index === 3 ? refused(each, new Error('WRONGTYPE'), names) : accepted(each.id);
    }),
  );
  const behind = sent.slice(500).filter(({ key }) => key === 'k-3');
  expect(parts.slice(1).flat()).toEqual(sent.slice(500).filter(({ key }) => key !== 'k-3'));
  expect(outcomes.slice(500).filter(({ status }) => status === 'refused')).toHaveLength(
    behind.length,
  );
  expect(outcomes[sent.indexOf(behind[0]!)]).toMatchObject({
    error: { message: expect.stringMatching(/e-3 of its key/), retryable: true },
  });
});
