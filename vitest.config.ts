import { defineConfig } from 'vitest/config'

const folders = '{packages,examples,scripts,benchmarks,test}'

// Tests run the TypeScript sources, never a build that may be stale.
const conditions = ['source', 'node', 'import', 'module', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    maxWorkers: 2,
    execArgv: ['--conditions=source'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [`${folders}/**/*.test.ts`],
          exclude: ['**/node_modules/**', '**/dist/**', '**/*.integration.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: [`${folders}/**/*.integration.test.ts`],
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
