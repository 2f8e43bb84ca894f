import { defineConfig } from 'vitest/config'

// Workspace packages are loaded from their sources, as in development; both condition lists are needed.
const source = { conditions: ['source'] }

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    globalSetup: ['packages/db/src/testing/global-setup.ts'],
    include: ['packages/*/src/**/*.test.ts', 'tools/**/*.test.ts'],
    maxWorkers: 2,
    pool: 'forks',
    // Generous: a deadline here is for a hang, never a statement about speed.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
