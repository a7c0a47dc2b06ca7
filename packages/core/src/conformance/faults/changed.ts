/** What does everything as `inner` does, apart from `changes`. */
export function changed<T extends object>(inner: T, changes: Partial<T>): T {
  const parts = [changes, inner];
  return new Proxy({} as T, {
    has: (_target, property) => parts.some((part) => property in part),
    get: (_target, property) => {
      const source = parts.find((part) => property in part) ?? inner;
      const value: unknown = Reflect.get(source, property, source);
      return typeof value === 'function' ? value.bind(source) : value;
    },
  });
}
