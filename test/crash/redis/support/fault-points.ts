/** Something that goes wrong right before a command, or right after its answer. */
export interface PlannedFault {
  /** Name of the command, and which time, as in `XACK #2`. */
  readonly point: string;
  readonly moment: 'before' | 'after';
  /** Makes it happen; what it throws is what the caller of the command gets. */
  readonly strike: () => Promise<void>;
}

/** The commands of one service in their order, with a fault at one of them at most. */
export class FaultPoints {
  readonly names: string[] = [];
  readonly #plan: PlannedFault | undefined;
  readonly #times = new Map<string, number>();

  constructor(plan?: PlannedFault) {
    this.#plan = plan;
  }

  async around<T>(name: string, send: () => Promise<T>): Promise<T> {
    const times = (this.#times.get(name) ?? 0) + 1;
    this.#times.set(name, times);
    const point = times === 1 ? name : `${name} #${times}`;
    this.names.push(point);
    if (this.#plan?.point !== point) return await send();
    const { moment, strike } = this.#plan;
    if (moment === 'before') await strike();
    const answer = await send();
    if (moment === 'after') await strike();
    return answer;
  }
}
