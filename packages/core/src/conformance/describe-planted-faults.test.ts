import assert from 'node:assert/strict';

import { describe, expect, it } from 'vitest';

import { systemClock } from '../clock.ts';
import { describePlantedFaults } from './describe-planted-faults.ts';
import { collectCases, type CollectedCase } from './faults/collect-cases.ts';
import { itWhen, type TestApi } from './test-api.ts';

/** A toy adapter: something that answers, and a suite with one case about it. */
interface AnswerOptions {
  readonly answer: (timeoutMs?: number) => Promise<number>;
  readonly able?: boolean;
  readonly timeoutMs?: number;
}

function describeAnswers(name: string, given: AnswerOptions, api: TestApi): void {
  const { answer, able = true, timeoutMs } = given;
  api.describe(name, () => {
    const whenAble = itWhen(api.it, able, 'cannot answer');
    whenAble('answers 42', async () => assert.equal(await answer(timeoutMs), 42));
  });
}

/** The proof that the suite notices an adapter that answers like this. */
function proofOf(
  faulty: AnswerOptions['answer'],
  options: AnswerOptions = { answer: async () => 42 },
  noticedBy = 'answers 42',
): CollectedCase {
  const fault = {
    name: 'answers wrongly',
    noticedBy,
    plant: (given: AnswerOptions) => ({ ...given, answer: faulty }),
  };
  const proof = { describeSuite: describeAnswers, options, faults: [fault], timeoutMs: 10 };
  return collectCases((api) => describePlantedFaults('a toy', proof, api))[0]!;
}

describe('planted faults', () => {
  it('are noticed when the case fails on them alone', async () => {
    const proof = proofOf(async () => 41);
    expect(proof.name).toBe('notices an adapter that answers wrongly');
    await proof.run();
  });

  it('are not noticed when the case passes', async () => {
    await expect(proofOf(async () => 42).run()).rejects.toThrow('"answers 42" did not notice it');
  });

  it('are not noticed by a case that fails on the sound adapter, too', async () => {
    const broken = async (): Promise<number> => 41;
    await expect(proofOf(broken, { answer: broken }).run()).rejects.toThrow(
      '"answers 42" fails without the fault, too',
    );
  });

  it('are not noticed by a case that could not run', async () => {
    const mistaken = async (): Promise<number> => {
      throw new TypeError('answer is not a function');
    };
    await expect(proofOf(mistaken).run()).rejects.toThrow('answer is not a function');
  });

  it('get the time that they were promised, and more where the sound adapter needs it', async () => {
    const waits: (number | undefined)[] = [];
    const faulty = async (timeoutMs?: number): Promise<number> => {
      waits.push(timeoutMs);
      return 41;
    };
    await proofOf(faulty).run();
    const slow = async (): Promise<number> => {
      await systemClock.sleep(30);
      return 42;
    };
    await proofOf(faulty, { answer: slow }).run();
    expect(waits[0]).toBeGreaterThanOrEqual(10);
    expect(waits[1]).toBeGreaterThanOrEqual(50);
  });

  it('are skipped with the case that would notice them', () => {
    const proof = proofOf(async () => 41, { answer: async () => 42, able: false });
    expect(proof.skipped).toBe(true);
    expect(proof.name).toContain('(skipped: the case that would notice it is skipped)');
  });

  it('must name a case that there is', () => {
    expect(() => proofOf(async () => 41, undefined, 'answers 43')).toThrow(
      'there is no case named answers 43',
    );
  });
});
