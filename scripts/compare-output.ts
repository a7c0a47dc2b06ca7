const placeholders: Readonly<Record<string, string>> = {
  '<number>': String.raw`[\d,.]+`,
  '<path>': String.raw`\S+`,
  '<any>': '.*',
};

/**
 * Compares what an example printed with what it should print.
 *
 * @param expected Text in which `<number>`, `<path>` and `<any>` (the rest of a line) stand for what
 *   differs from run to run.
 * @returns The first line that differs, as both sides have it; undefined if none does.
 */
export function compareOutput(expected: string, actual: string): string | undefined {
  const wantedLines = expected.trimEnd().split('\n');
  const actualLines = actual.trimEnd().split('\n');
  const longest = Math.max(wantedLines.length, actualLines.length);
  for (let index = 0; index < longest; index += 1) {
    const wanted = wantedLines[index];
    const line = actualLines[index];
    if (wanted !== undefined && line !== undefined && patternOf(wanted).test(line)) continue;
    return [
      `  line ${index + 1}`,
      `  expected: ${wanted ?? '(nothing more)'}`,
      `  printed:  ${line ?? '(nothing more)'}`,
    ].join('\n');
  }
  return undefined;
}

function patternOf(line: string): RegExp {
  const parts = line.trimEnd().split(/(<number>|<path>|<any>)/);
  return new RegExp(`^${parts.map((part) => placeholders[part] ?? escape(part)).join('')}\\s*$`);
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
