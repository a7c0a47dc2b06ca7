import { describe, expect, it } from 'vitest';
import { conditionOf, decideGrade, grades } from './decide-grade.ts';

const gradesFor = (condition: string) => {
  const drawn = Array.from({ length: 500 }, (_, index) =>
    decideGrade('s', `L/${index}/1`, condition),
  );
  return (wanted: string) => drawn.filter((grade) => grade === wanted).length / drawn.length;
};

describe('decideGrade', () => {
  it('finds the same in every run', () => {
    expect(decideGrade('s', 'L/1/1', 'New')).toBe(decideGrade('s', 'L/1/1', 'New'));
  });

  it('finds other things with another seed', () => {
    const draw = (seed: string) =>
      Array.from({ length: 50 }, (_, index) =>
        decideGrade(seed, `L/${index}/1`, 'Customer Returns'),
      );
    expect(draw('s')).not.toEqual(draw('t'));
  });

  it('finds new goods mostly good, and salvage mostly not', () => {
    expect(gradesFor('New')('A')).toBeGreaterThan(0.7);
    expect(gradesFor('NEW - factory sealed')('F')).toBe(0);
    expect(gradesFor('For parts / not working')('A')).toBe(0);
    expect(gradesFor('Salvage')('F')).toBeGreaterThan(0.4);
  });

  it('does not take "like new" for new', () => {
    expect(gradesFor('Like New')('B')).toBeGreaterThan(gradesFor('New')('B'));
  });

  it('grades what is described in words that it does not know', () => {
    const share = gradesFor('Untested');
    expect(grades.every((grade) => share(grade) > 0)).toBe(true);
    expect(gradesFor('')('A')).toBeGreaterThan(0);
  });
});

describe('conditionOf', () => {
  it('has words for every grade', () => {
    expect(new Set(grades.map(conditionOf)).size).toBe(grades.length);
  });
});
