import { z } from 'zod';

import type { EventDefinition } from '@waybill/core';

/** The part of a JSON Schema that a table of fields shows. */
interface FieldSchema {
  type?: string;
  enum?: unknown[];
  description?: string;
  items?: FieldSchema;
}

/** The reference page of a catalogue: one table of fields per event, grouped by domain. */
export function cataloguePage(title: string, definitions: readonly EventDefinition[]): string {
  const domains = Map.groupBy(definitions, ({ type }) => type.split('.')[0]!);
  const sections = [...domains]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([domain, events]) => {
      const sorted = events.toSorted((a, b) => (a.type < b.type ? -1 : 1));
      return `## ${domain}\n\n${sorted.map(eventSection).join('\n')}`;
    });
  return `# ${title}\n\nMade from the catalogue by \`npm run reference\`. Fields in **bold** are key data.\n\n${sections.join('\n')}`;
}

function eventSection({ type, version, description, owner, schema }: EventDefinition): string {
  const { properties = {}, required = [] } = z.toJSONSchema(schema as z.ZodType, {
    io: 'input',
  }) as {
    properties?: Record<string, FieldSchema>;
    required?: string[];
  };
  const rows = Object.entries(properties).map(
    ([name, field]) =>
      `| ${required.includes(name) ? `**${name}**` : name} | ${typeOf(field)} | ${cell(field.description)} |`,
  );
  return [
    `### ${type}\n`,
    `${description} Published by ${owner}, version ${version}.\n`,
    '| field | type | meaning |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function typeOf({ type, enum: values, items }: FieldSchema): string {
  if (values) return values.map((value) => `\`${String(value)}\``).join(', ');
  return items ? `${items.type ?? 'any'}[]` : (type ?? 'any');
}

function cell(text: string = ''): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
