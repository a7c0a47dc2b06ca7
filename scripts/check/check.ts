// npm run check [-- <step> …]: everything but the tests that must hold before a change lands.

import { runSteps, type Step } from './run-steps.ts';

const lanes: readonly (readonly Step[])[] = [
  [
    {
      name: 'types',
      commands: [
        ['tsc', '-b'],
        ['tsc', '-p', 'tsconfig.check.json'],
      ],
    },
    // Behind the types, because it reads the packages as they were built.
    { name: 'lint', commands: [['oxlint', '--type-aware', '--deny-warnings']] },
    {
      name: 'packaging',
      commands: [
        ['tsc', '-b'],
        ['node', 'scripts/check/packaging.ts'],
      ],
    },
    { name: 'docs', commands: [['node', 'scripts/check/docs.ts']] },
  ],
  [
    { name: 'format', commands: [['oxfmt', '--check']] },
    { name: 'boundaries', commands: [['node', 'scripts/check/boundaries.ts']] },
    { name: 'dead code', commands: [['knip']] },
    { name: 'examples', commands: [['node', 'scripts/examples.ts']] },
  ],
];

const wanted = process.argv.slice(2);
const names = lanes.flat().map((step) => step.name);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`No such step: ${unknown.join(', ')}. Steps: ${names.join(', ')}.`);
  process.exit(2);
}

const isWanted = (step: Step) => wanted.length === 0 || wanted.includes(step.name);
const failed = await runSteps(lanes.map((lane) => lane.filter(isWanted)));
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
