import type { Profile, ProfileAttribute } from './envelope.ts';
import { shown } from '../text.ts';

/**
 * The attribute of a profile that is asked for by its name in code, with a value that it can have.
 *
 * @throws {TypeError} If the profile has no attribute of that name, or its values are of another type: nothing
 *   would be found, and nobody would know why.
 */
export function attributeOf(profile: Profile, name: string, value: unknown): ProfileAttribute {
  const attribute = profile.attributes.find((each) => each.name === name);
  if (!attribute) {
    throw new TypeError(`profile ${profile.name} has no attribute ${JSON.stringify(name)}`);
  }
  const { type = 'string' } = attribute;
  if (typeof value === (type === 'integer' ? 'number' : type)) return attribute;
  throw new TypeError(
    `attribute ${name} of profile ${profile.name} is of type ${type}, got ${shown(value)}`,
  );
}
