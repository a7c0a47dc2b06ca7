import { createHash } from 'node:crypto';
import { assertName } from '../options.ts';
import { isText, maxTextLength } from '../text.ts';

/**
 * Name of where a transport's messages go.
 *
 * @param space What sets it apart from others of its kind, such as a prefix, a schema or a cluster.
 *   If it does not fit in a name, a digest stands for it.
 * @param given Name that somebody chose; goes before the other.
 * @throws {TypeError} If the chosen name is not 1 to 255 characters of text.
 */
export function destinationName(adapter: string, space: string, given?: string): string {
  if (given !== undefined) {
    assertName(`${adapter}: destination`, given);
    return given;
  }
  const name = `${adapter}/${space}`;
  if (isText(name, maxTextLength)) return name;
  return `${adapter}/sha256-${createHash('sha256').update(space).digest('hex')}`;
}
