import { parseSync } from 'oxc-parser';

/** One place where a file names another module. */
export interface FoundImport {
  /** What stands between the quotes. */
  readonly specifier: string;
  /** Counted from 1. */
  readonly line: number;
  /** True for `export … from`. */
  readonly isReexport: boolean;
}

/** Finds every import, re-export and `import()` of a literal in the source text of one file. */
export function findImports(file: string, source: string): FoundImport[] {
  const { module, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const lineAt = (offset: number) => source.slice(0, offset).split('\n').length;
  const imports = module.staticImports.map(({ moduleRequest, start }) => ({
    specifier: moduleRequest.value,
    line: lineAt(start),
    isReexport: false,
  }));
  const reexports = module.staticExports.flatMap(({ entries, start }) => {
    const request = entries.find((entry) => entry.moduleRequest)?.moduleRequest;
    return request ? [{ specifier: request.value, line: lineAt(start), isReexport: true }] : [];
  });
  const dynamic = module.dynamicImports.flatMap(({ moduleRequest, start }) => {
    const literal = /^(['"])(.*)\1$/s.exec(source.slice(moduleRequest.start, moduleRequest.end));
    return literal ? [{ specifier: literal[2] ?? '', line: lineAt(start), isReexport: false }] : [];
  });
  return [...imports, ...reexports, ...dynamic];
}
