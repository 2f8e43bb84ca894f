import { defineConfig, mergeConfig } from 'vitest/config'

import base from './vitest.config.ts'

// Journeys over whole systems: real control planes, the embedded cluster, the CLI. One file at a time: each starts servers.
export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({
    test: {
      include: ['e2e/**/*.test.ts'],
      fileParallelism: false,
      testTimeout: 300_000,
      hookTimeout: 900_000,
    },
  }),
)
