import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { openStore } from './store.ts'

const WRITER = `
import { openStore } from ${JSON.stringify(new URL('./store.ts', import.meta.url).href)}
const store = await openStore({ dataFolder: process.argv[1], log: () => {}, snapshotMinBytes: 60_000 })
const meta = (name) => ({ name, namespace: 'n', uid: name, resourceVersion: '', creationTimestamp: '2026-01-01T00:00:00Z' })
for (let round = 0; ; round += 1)
  await Promise.all(Array.from({ length: 20 }, async (_, index) => {
    const kept = await store.put('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta('m' + index), data: { round: String(round) } })
    process.stdout.write(kept.metadata.name + ' ' + round + ' ' + kept.metadata.resourceVersion + '\\n')
  }))
`

test.each([1, 2, 3])(
  'no acknowledged write is lost when the process is killed in mid load (run %i)',
  async (run) => {
    const dataFolder = await mkdtemp(join(tmpdir(), 'slipway-kill-'))
    try {
      const child = spawn(
        process.execPath,
        ['--conditions=source', '--input-type=module', '--eval', WRITER, dataFolder],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        if (text.length > 15_000 * run && !child.killed) child.kill('SIGKILL')
      })
      await once(child, 'close')
      const lines = text.slice(0, text.lastIndexOf('\n')).split('\n')
      const rounds = new Map<string, number>()
      let version = 0
      for (const line of lines) {
        const [name = '', round, at] = line.split(' ')
        rounds.set(name, Math.max(rounds.get(name) ?? 0, Number(round)))
        version = Math.max(version, Number(at))
      }
      await using store = await openStore({ dataFolder, log: () => undefined })
      expect(rounds.size).toBe(20)
      for (const [name, round] of rounds) {
        const kept = store.get('configmaps', 'n', name)?.['data'] as { round: string }
        expect(Number(kept.round)).toBeGreaterThanOrEqual(round)
      }
      expect(store.version()).toBeGreaterThan(version)
    } finally {
      await rm(dataFolder, { recursive: true })
    }
  },
)
