import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { InputError } from './input-error.ts';
import { readManifest } from './read-manifest.ts';
import type { Demand } from './demand.ts';
import { readOrders } from './read-orders.ts';
import { unitsOf, type ManifestLine, type Unit } from './unit.ts';
import type { FileReject } from './write-rejects.ts';

/** Everything that a run is fed with. */
export interface Input {
  readonly lines: readonly ManifestLine[];
  readonly units: readonly Unit[];
  readonly demands: readonly Demand[];
  readonly rejects: readonly FileReject[];
  /** Changes when either file does: a run that was interrupted goes on with the same input only. */
  readonly digest: string;
}

/**
 * Reads the manifest and, if there is one, the file of orders and bids.
 *
 * @throws {InputError} If a file cannot be read, lacks a column, or holds nothing to do.
 */
export async function loadInput(manifestPath: string, ordersPath?: string): Promise<Input> {
  const manifest = await readInputFile(manifestPath, readManifest);
  if (manifest.result.lines.length === 0) {
    const [first] = manifest.result.rejects;
    const hint = first ? `; line ${first.line}: ${first.field} ${first.reason}` : '';
    throw new InputError(`${manifestPath} has no line that can be used${hint}`);
  }
  const units = unitsOf(manifest.result.lines);
  const orders = ordersPath
    ? await readInputFile(ordersPath, (bytes) => readOrders(bytes, units))
    : { digest: '', result: { demands: [], rejects: [] } };
  const from = (path: string) => (reject: object) => ({ file: basename(path), ...reject });
  return {
    lines: manifest.result.lines,
    units,
    demands: orders.result.demands,
    rejects: [
      ...manifest.result.rejects.map(from(manifestPath)),
      ...orders.result.rejects.map(from(ordersPath ?? '')),
    ] as FileReject[],
    digest: `${manifest.digest}${orders.digest}`,
  };
}

async function readInputFile<T>(
  path: string,
  read: (bytes: Buffer) => T,
): Promise<{ result: T; digest: string }> {
  try {
    const bytes = await readFile(path);
    return { result: read(bytes), digest: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${path}: ${error.message}`);
    throw new InputError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
