import { describe, expect, it } from 'vitest';
import { compareOutput } from './compare-output.ts';

describe('comparing an example with what it should print', () => {
  it('takes the same text, whatever stands for figures and paths', () => {
    const expected = 'Units: 512\nTook <number> s (<number> a second)\nData in <path>\nTry <any>\n';
    const actual = 'Units: 512\nTook 1.25 s (3,400 a second)\nData in /tmp/x\nTry this or that\n';

    expect(compareOutput(expected, actual)).toBeUndefined();
  });

  it('names the first line that differs', () => {
    expect(compareOutput('a\nb (1)\nc', 'a\nb (2)\nd')).toBe(
      '  line 2\n  expected: b (1)\n  printed:  b (2)',
    );
  });

  it('notices a line too many and a line too few', () => {
    expect(compareOutput('a', 'a\nb')).toContain('expected: (nothing more)');
    expect(compareOutput('a\nb', 'a')).toContain('printed:  (nothing more)');
  });

  it('does not take words for a number', () => {
    expect(compareOutput('<number> units', 'many units')).toBeDefined();
  });
});
