import { describe, expect, it } from 'vitest';

import { envelope } from '../../../test/envelope.ts';
import { invocation, registration } from '../../../test/invocation.ts';
import type { EventEnvelope } from '../../event/envelope.ts';
import { isEventError } from '../../errors.ts';
import { schemaOf } from '../../../test/schema.ts';
import { Catalogue } from '../../event/catalogue.ts';
import { defineEvent } from '../../event/event-definition.ts';
import type { WarningCode } from '../../observer.ts';
import { Warnings } from '../../warnings.ts';
import type { Policy } from './step.ts';
import { validate as validateWith } from './validate.ts';

const graded = schemaOf<unknown>((data) => {
  const { grade } = data as { grade?: unknown };
  if (grade === undefined) return [{ message: 'required', path: ['grade'] }];
  return /^[A-F]$/.test(String(grade)) ? { grade } : [{ message: 'A to F', path: ['grade'] }];
});

/** The policy, and the types that it has warned of. */
function validate(told: string[] = [], silence: readonly WarningCode[] = []): Policy {
  const warnings = new Warnings({
    observe: (seen) => void (seen.kind === 'warning' && told.push(`${seen.code} ${seen.message}`)),
  });
  return validateWith({ warnings, silence });
}

async function validated(data: unknown, schema = graded): Promise<EventEnvelope[]> {
  const passed: EventEnvelope[] = [];
  const step = validate()(async (event) => void passed.push(event));
  await step(envelope({ data }), invocation({ registration: registration({ schema }) }));
  return passed;
}

describe('validation', () => {
  it("hands on the schema's output, without touching the event", async () => {
    const event = envelope({ data: { grade: 'A', more: true } });
    const passed: EventEnvelope[] = [];
    const step = validate()(async (seen) => void passed.push(seen));
    await step(event, invocation({ registration: registration({ schema: graded }) }));
    expect(passed).toEqual([{ ...event, data: { grade: 'A' } }]);
    expect(event.data).toEqual({ grade: 'A', more: true });
  });

  it('hands on the event itself where no schema was given', async () => {
    const event = envelope();
    const passed: EventEnvelope[] = [];
    await validate()(async (seen) => void passed.push(seen))(event, invocation());
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

  it('lets a type pass that the catalogue does not have, and warns of each once', async () => {
    const said = { description: 'An item', owner: 'grading', schema: graded };
    const schema = new Catalogue([defineEvent({ type: 'item.graded', ...said })]);
    const asked = { registration: registration({ schema }) };
    const told: string[] = [];
    const passed: unknown[] = [];
    const step = validate(told)(async ({ type, data }) => void passed.push([type, data]));
    for (const type of ['item.weighed', 'item.weighed', 'item.graded']) {
      await step(envelope({ type, data: { grade: 'A', kg: 2 } }), invocation(asked));
    }
    expect(passed).toEqual([
      ['item.weighed', { grade: 'A', kg: 2 }],
      ['item.weighed', { grade: 'A', kg: 2 }],
      ['item.graded', { grade: 'A' }],
    ]);
    expect(told).toEqual([
      expect.stringMatching(/^TYPE_NOT_IN_CATALOGUE handler grade gets item\.weighed, which/),
    ]);

    const meant: string[] = [];
    const silent = validate(meant, ['TYPE_NOT_IN_CATALOGUE'])(async () => {});
    await silent(envelope({ type: 'item.weighed' }), invocation(asked));
    expect(meant).toEqual([]);
  });
});
