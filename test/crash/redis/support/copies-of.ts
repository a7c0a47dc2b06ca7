import type { Redis } from 'ioredis';

/** The clients that are made from this one from now on. */
export function copiesOf(client: Redis): readonly Redis[] {
  const made: Redis[] = [];
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (override) => {
    const copy = duplicate(override);
    made.push(copy);
    return copy;
  };
  return made;
}
