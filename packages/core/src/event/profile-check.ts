import { engineAttributes, metadataWireNames, reservedNames } from './attribute-names.ts';
import { isExtensionName } from './attribute-rules.ts';
import type { AttributeType, Profile } from './envelope.ts';
import { shown } from '../text.ts';

const attributeTypes: Readonly<Record<AttributeType, true>> = {
  string: true,
  integer: true,
  boolean: true,
};

/**
 * Makes sure that a profile's attributes can be told from each other and from the engine's.
 *
 * @throws {TypeError} If a name on the wire is not legal, a name is taken, or a type is none.
 */
export function assertProfile(profile: Profile): void {
  const names = new Set(engineAttributes);
  const wires = new Set([...reservedNames, ...metadataWireNames]);
  for (const { name, wire, type = 'string' } of profile.attributes) {
    const where = `profile "${profile.name}": attribute ${JSON.stringify(name)}`;
    if (!isExtensionName(wire)) {
      throw new TypeError(
        `${where} must have a wire name of 1 to 20 lower-case letters and digits, got ${JSON.stringify(wire)}`,
      );
    }
    if (!Object.hasOwn(attributeTypes, type)) {
      const types = Object.keys(attributeTypes).join(', ');
      throw new TypeError(`${where} must be of one of the types ${types}, got ${shown(type)}`);
    }
    if (name === '__proto__' || names.has(name))
      throw new TypeError(`${where} has a name that is taken`);
    if (wires.has(wire)) throw new TypeError(`${where} has a wire name that is taken: "${wire}"`);
    names.add(name);
    wires.add(wire);
  }
}
