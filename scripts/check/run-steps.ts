import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { root, toolEnvironment } from '../bootstrap.mjs';
import { withProgress } from '../progress.mjs';

/** One thing that must be right before a change lands. */
export interface Step {
  readonly name: string;
  /** Run one after the other; the step fails with the first that does not exit with 0. */
  readonly commands: readonly (readonly [file: string, ...args: string[]])[];
}

/**
 * Runs lanes of steps beside each other, the steps of a lane in order, and prints a line for each.
 *
 * @returns Names of the steps that failed; the others were run nevertheless.
 */
export async function runSteps(
  lanes: readonly (readonly Step[])[],
  print: (line: string) => void = console.log,
): Promise<string[]> {
  const failed: string[] = [];
  const runLane = async (lane: readonly Step[]) => {
    for (const step of lane) if (!(await runStep(step, print))) failed.push(step.name);
  };
  await Promise.all(lanes.map(runLane));
  return failed;
}

async function runStep(step: Step, print: (line: string) => void): Promise<boolean> {
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1_000).toFixed(1);
  for (const command of step.commands) {
    const { exitCode, output } = await withProgress(step.name, runCommand(command));
    if (exitCode === 0) continue;
    print(`✗ ${step.name} (${seconds()} s): ${command.join(' ')}\n${output.trimEnd()}\n`);
    return false;
  }
  print(`✓ ${step.name} (${seconds()} s)`);
  return true;
}

async function runCommand([file, ...args]: Step['commands'][number]) {
  const child = spawn(file, args, {
    cwd: root,
    env: toolEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve(code ?? 1));
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const exitCode = await exit;
  return { exitCode, output: (await output).join('') };
}
