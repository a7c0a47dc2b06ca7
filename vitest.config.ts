import { defineConfig } from 'vitest/config';

const folders = '{packages,examples,scripts,benchmarks,test}';
const neverTests = ['**/node_modules/**', '**/dist/**'];

// Tests run the TypeScript sources, never a build that may be stale.
const conditions = ['source', 'module', 'node', 'development|production'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    maxWorkers: 2,
    execArgv: ['--conditions=source'],
    setupFiles: ['scripts/property-seed.ts'],
    reporters: ['default', './scripts/capability-report.ts', './scripts/run-report.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [`${folders}/**/*.test.ts`],
          exclude: [...neverTests, '**/*.integration.test.ts'],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: [`${folders}/**/*.integration.test.ts`],
          exclude: neverTests,
          globalSetup: ['scripts/services/vitest-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
