import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unzipSync } from 'fflate';

const FETCH_DEADLINE_MS = 120_000;
const MAX_TRIES = 3;
const RETRY_DELAY_MS = 1_000;

// A Java library that carries static binaries of Redis 6.2. The version in their names is not always the
// one that they answer.
const jarUrl =
  'https://repo.maven.apache.org/maven2/com/github/codemonstur/embedded-redis/1.4.3/embedded-redis-1.4.3.jar';
const jarSha256 = 'ffbc63265c60d25dee453d6f656b527d98200d98657c6a0ab4dec4ea2c3a5cd6';
const binaries: Readonly<Record<string, string>> = {
  'linux-x64': 'redis-server-6.2.6-v5-linux-amd64',
  'linux-arm64': 'redis-server-6.2.7-linux-arm64',
  'darwin-x64': 'redis-server-6.2.6-v5-darwin-amd64',
  'darwin-arm64': 'redis-server-6.2.6-v5-darwin-arm64',
};

/**
 * Puts `redis-server` 6.2 into `folder`, out of a jar on Maven Central.
 *
 * @param say Takes a line that the person at the terminal should see.
 * @throws Error that says in one line why it cannot be had.
 */
export async function fetchEmbeddedRedis(
  folder: string,
  say: (line: string) => void,
): Promise<void> {
  const platform = `${process.platform}-${process.arch}`;
  const name = binaries[platform];
  if (name === undefined) throw new Error(`there is no binary for ${platform}`);
  say('Fetching redis-server 6.2 from Maven Central into .cache (once).');
  const jar = await download();
  const { [name]: binary } = unzipSync(jar, { filter: (entry) => entry.name === name });
  if (binary === undefined) throw new Error(`${jarUrl} lacks ${name}`);
  await writeFile(join(folder, 'redis-server'), binary, { mode: 0o755 });
}

async function download(): Promise<Uint8Array> {
  const jar = await withRetries(async () => {
    const response = await fetch(jarUrl, { signal: AbortSignal.timeout(FETCH_DEADLINE_MS) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  });
  if (createHash('sha256').update(jar).digest('hex') !== jarSha256) {
    throw new Error(`${jarUrl} is not the file that it was`);
  }
  return jar;
}

/** A network may be away for a moment. */
async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (cause) {
      if (tries === MAX_TRIES) {
        throw new Error(`Maven Central does not give it: ${reasonOf(cause)}`, { cause });
      }
      await new Promise((resolve) => setTimeout(resolve, tries * RETRY_DELAY_MS));
    }
  }
}

/** Of what `fetch` throws, only the cause says what it was. */
function reasonOf(error: unknown): string {
  const { cause = error } = error as { cause?: unknown };
  return cause instanceof Error ? cause.message : String(cause);
}
