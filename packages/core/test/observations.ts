import type { Observation, Observer } from '../src/observer.ts';

type Kind = Observation['kind'];

/** Keeps everything that was observed. */
export class Observations {
  readonly all: Observation[] = [];
  readonly observe: Observer = (seen) => void this.all.push(seen);

  /** All of one kind, oldest first. */
  of<K extends Kind>(kind: K): Extract<Observation, { kind: K }>[] {
    return this.all.filter((seen) => seen.kind === kind) as Extract<Observation, { kind: K }>[];
  }
}
