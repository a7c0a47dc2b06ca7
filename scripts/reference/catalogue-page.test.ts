import { defineEvent, defineEventPattern } from '@waybill/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { cataloguePage } from './catalogue-page.ts';

const said = { owner: 'sagas', schema: z.object({ sagaId: z.string().describe('Which run') }) };

describe('the page of a catalogue', () => {
  it('has a section for each type and each pattern, under its domain', () => {
    const page = cataloguePage('Events', [
      defineEventPattern({ pattern: 'saga.*.started', description: 'A saga began.', ...said }),
      defineEvent({ type: 'item.graded', description: 'An item was graded.', ...said }),
      defineEventPattern({ pattern: '*.purged', description: 'Old data went.', ...said }),
    ]);
    expect(page.match(/^##.*$/gm)).toEqual([
      String.raw`## \*`,
      String.raw`### \*.purged`,
      '## item',
      '### item.graded',
      '## saga',
      String.raw`### saga.\*.started`,
    ]);
    expect(page).toContain(
      'A saga began. Published by sagas, version 1. Holds for every type that matches.',
    );
    expect(page).toContain('An item was graded. Published by sagas, version 1.\n');
    expect(page).toContain('| **sagaId** | string | Which run |');
  });
});
