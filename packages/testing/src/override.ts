/**
 * An object that is `target` in every respect but the given members.
 *
 * Methods of the target run on the target itself, so that its private fields are found.
 */
export function override<Target extends object>(target: Target, members: Partial<Target>): Target {
  return new Proxy(target, {
    get(_, property) {
      if (Object.hasOwn(members, property)) return Reflect.get(members, property);
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
