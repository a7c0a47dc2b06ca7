import { join } from 'node:path';

import type { CatalogueEntry } from '@waybill/core';
import { quickwmsCatalogue } from '@quickwms/events';

import { root } from '../bootstrap.mjs';
import { cataloguePage } from './catalogue-page.ts';

/** A page that is made from code: where it lies, and what must stand there. */
export interface ReferencePage {
  readonly path: string;
  readonly text: () => string;
}

export function referencePages(): ReferencePage[] {
  return [
    {
      path: join(root, 'docs/reference/catalogue.md'),
      text: () =>
        cataloguePage('Events of the warehouse', quickwmsCatalogue as readonly CatalogueEntry[]),
    },
  ];
}
