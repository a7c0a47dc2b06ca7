import { runOutsideScope, type Message } from '@waybill/core/adapter';

import { sizeOf } from './stream-entry.ts';

/** Messages that are published together. */
export interface AppendCall {
  readonly messages: readonly Message[];
  /** The mark that the server must bear, if any is expected. */
  readonly marker: string | undefined;
}

interface Waiting<Outcome> {
  readonly call: AppendCall;
  readonly resolve: (outcome: Outcome) => void;
}

/** Most messages and about the most bytes that go at once: Redis serves nobody else meanwhile. */
export const maxBytes: number = 4 * 1024 * 1024;
/** Of single calls: while Redis works on one group, this process makes the next one. */
const maxGrouped = 128;
/** More would only wait at Redis instead of here. */
const maxUnderWay = 4;

/**
 * Groups concurrent calls that expect the same mark: a lone one goes at once, and what comes while several
 * groups are under way waits for the next one. They go over one connection, so messages are written in the
 * order in which they were added.
 */
export class AppendQueue<Outcome> {
  readonly #send: (calls: readonly AppendCall[]) => Promise<readonly Outcome[]>;
  #waiting: Waiting<Outcome>[] = [];
  #underWay = 0;
  #scheduled = false;
  #whenSettled: (() => void)[] = [];

  /** @param send Never rejects, and gives one outcome for each call. */
  constructor(send: (calls: readonly AppendCall[]) => Promise<readonly Outcome[]>) {
    this.#send = send;
  }

  add(call: AppendCall): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#waiting.push({ call, resolve });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // One turn of the microtask queue lets the callers of this tick into the first group.
      queueMicrotask(() => runOutsideScope(() => this.#sendWaiting()));
    });
  }

  /** Resolves when everything added so far has its outcome. */
  async settled(): Promise<void> {
    while (this.#underWay > 0 || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => this.#whenSettled.push(resolve));
    }
  }

  #sendWaiting(): void {
    this.#scheduled = false;
    while (this.#waiting.length > 0 && this.#underWay < maxUnderWay) {
      const group = this.#waiting.splice(0, this.#groupLength());
      this.#underWay += 1;
      void this.#send(group.map(({ call }) => call)).then((outcomes) => {
        this.#underWay -= 1;
        for (let index = 0; index < group.length; index += 1) {
          group[index]!.resolve(outcomes[index]!);
        }
        this.#sendWaiting();
        if (this.#underWay === 0) for (const resolve of this.#whenSettled.splice(0)) resolve();
      });
    }
  }

  /** How many of the calls that wait go together. */
  #groupLength(): number {
    let length = 0;
    let messages = 0;
    let bytes = 0;
    const { marker } = this.#waiting[0]!.call;
    for (const { call } of this.#waiting) {
      messages += call.messages.length;
      for (const message of call.messages) bytes += sizeOf(message);
      const fits = messages <= maxGrouped && bytes <= maxBytes && call.marker === marker;
      if (length > 0 && !fits) break;
      length += 1;
    }
    return length;
  }
}
