import { describe, expect, it } from 'vitest';
import { runSteps, type Step } from './run-steps.ts';

const node = (code: string) => [process.execPath, '-e', code] as const;
const passing: Step = { name: 'passing', commands: [node('console.log("noise")')] };
const failing: Step = { name: 'failing', commands: [node('console.log("why"); process.exit(1)')] };

describe('running the checks', () => {
  it('names the steps that failed and runs the ones behind them', async () => {
    const lines: string[] = [];

    const failed = await runSteps([[failing, passing]], (line) => lines.push(line));

    expect(failed).toEqual(['failing']);
    expect(lines).toEqual([expect.stringMatching(/✗ failing/), expect.stringMatching(/✓ passing/)]);
  });

  it('prints the output of a step that failed and only of that', async () => {
    const lines: string[] = [];

    await runSteps([[passing], [failing]], (line) => lines.push(line));

    expect(lines.join('\n')).toContain('why');
    expect(lines.join('\n')).not.toContain('noise');
  });

  it('stops a step at its first command that fails', async () => {
    const step = { name: 'both', commands: [node('process.exit(1)'), node('console.log("late")')] };
    const lines: string[] = [];

    expect(await runSteps([[step]], (line) => lines.push(line))).toEqual(['both']);
    expect(lines.join('\n')).not.toContain('console.log("late")');
  });
});
