import { z } from 'zod';

import type { CatalogueEntry } from '@waybill/core';

/** The part of a JSON Schema that a table of fields shows. */
interface FieldSchema {
  type?: string;
  enum?: unknown[];
  description?: string;
  items?: FieldSchema;
}

/** The reference page of a catalogue: one table of fields per type, or pattern, grouped by domain. */
export function cataloguePage(title: string, definitions: readonly CatalogueEntry[]): string {
  const domains = Map.groupBy(definitions, (entry) => nameOf(entry).split('.')[0]!);
  const sections = [...domains]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([domain, events]) => {
      const sorted = events.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
      return `## ${headed(domain)}\n\n${sorted.map(eventSection).join('\n')}`;
    });
  return `# ${title}\n\nMade from the catalogue by \`npm run reference\`. Fields in **bold** are key data.\n\n${sections.join('\n')}`;
}

function eventSection(entry: CatalogueEntry): string {
  const { version, description, owner, schema } = entry;
  const reach = 'pattern' in entry ? ' Holds for every type that matches.' : '';
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
    `### ${headed(nameOf(entry))}\n`,
    `${description} Published by ${owner}, version ${version}.${reach}\n`,
    '| field | type | meaning |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function nameOf(entry: CatalogueEntry): string {
  return 'pattern' in entry ? entry.pattern : entry.type;
}

/** Two asterisks in a heading would be emphasis. */
function headed(name: string): string {
  return name.replaceAll('*', '\\*');
}

function typeOf({ type, enum: values, items }: FieldSchema): string {
  if (values) return values.map((value) => `\`${String(value)}\``).join(', ');
  return items ? `${items.type ?? 'any'}[]` : (type ?? 'any');
}

function cell(text: string = ''): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
