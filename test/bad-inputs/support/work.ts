/** Work that begins, and ends when it is told to. */
export interface Work {
  readonly run: () => Promise<string>;
  readonly finish: (result: string) => void;
  /** Resolves when it has begun. */
  readonly begun: Promise<void>;
}

export function work(): Work {
  const begun = Promise.withResolvers<void>();
  const { promise: result, resolve: finish } = Promise.withResolvers<string>();
  const run = (): Promise<string> => {
    begun.resolve();
    return result;
  };
  return { run, finish, begun: begun.promise };
}
