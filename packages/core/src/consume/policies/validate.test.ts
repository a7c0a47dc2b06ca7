import { describe, expect, it } from 'vitest';

import { envelope } from '../../../test/envelope.ts';
import { invocation, registration } from '../../../test/invocation.ts';
import type { EventEnvelope } from '../../event/envelope.ts';
import { isEventError } from '../../errors.ts';
import { schemaOf } from '../../../test/schema.ts';
import { validate } from './validate.ts';

const graded = schemaOf<unknown>((data) => {
  const { grade } = data as { grade?: unknown };
  if (grade === undefined) return [{ message: 'required', path: ['grade'] }];
  return /^[A-F]$/.test(String(grade)) ? { grade } : [{ message: 'A to F', path: ['grade'] }];
});

async function validated(data: unknown, schema = graded): Promise<EventEnvelope[]> {
  const passed: EventEnvelope[] = [];
  const step = validate(async (event) => void passed.push(event));
  await step(envelope({ data }), invocation({ registration: registration({ schema }) }));
  return passed;
}

describe('validation', () => {
  it("hands on the schema's output, without touching the event", async () => {
    const event = envelope({ data: { grade: 'A', more: true } });
    const passed: EventEnvelope[] = [];
    const step = validate(async (seen) => void passed.push(seen));
    await step(event, invocation({ registration: registration({ schema: graded }) }));
    expect(passed).toEqual([{ ...event, data: { grade: 'A' } }]);
    expect(event.data).toEqual({ grade: 'A', more: true });
  });

  it('hands on the event itself where no schema was given', async () => {
    const event = envelope();
    const passed: EventEnvelope[] = [];
    await validate(async (seen) => void passed.push(seen))(event, invocation());
    expect(passed[0]).toBe(event);
  });

  it.each([[{ grade: 'Z' }], [{}]])('refuses %j by name, for good', async (data) => {
    const error = await validated(data).catch((thrown: unknown) => thrown);
    expect(isEventError(error, 'PAYLOAD_INVALID') && error.retryable).toBe(false);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^PAYLOAD_INVALID: item\.graded event-1: data\.grade: /),
      details: { eventType: 'item.graded', eventId: 'event-1', issues: [{ path: 'grade' }] },
    });
  });

  it('rejects when the schema itself breaks', async () => {
    const broken = schemaOf(() => {
      throw new Error('schema bug');
    });
    await expect(validated({}, broken)).rejects.toThrow('schema bug');
  });

  it('does not wait for data that has a `then`', async () => {
    const thenable = { then: 'not a function', grade: 'B' };
    const keep = schemaOf<unknown>((data) => data);
    expect((await validated(thenable, keep)).map(({ data }) => data)).toEqual([thenable]);
  });
});
