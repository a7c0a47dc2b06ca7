/** What the parent passed to `spawnWorker` as `args`. */
export function workerArgs<Args>(): Args {
  return JSON.parse(process.argv[2] ?? 'null') as Args;
}

/**
 * Sends the parent a message, which waits for it with `WorkerProcess.message(kind)`.
 *
 * @returns When the message is on its way, so that a crash after that cannot take it back.
 */
export function tellParent(kind: string, details: object = {}): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (!process.send) throw new Error('this process was not started by spawnWorker');
  process.send({ ...details, kind }, (error: Error | null) => (error ? reject(error) : resolve()));
  return promise;
}
