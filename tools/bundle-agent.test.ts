import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

test('the agent that manifests carry is the one of these sources', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-agent-'))
  try {
    // In a process of its own: a bundler looks at the environment, and that of a test is another one.
    const { PATH } = process.env
    const script = ['--conditions=source', path('bundle-agent.ts'), folder]
    await promisify(execFile)(process.execPath, script, { env: { PATH } })
    const made = await readFile(join(folder, 'slipway-agent.mjs'), 'utf8')
    const kept = await readFile(path('../packages/agent/generated/slipway-agent.mjs'), 'utf8')
    // Stale? Run: node --conditions=source tools/bundle-agent.ts
    expect(kept === made).toBe(true)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
