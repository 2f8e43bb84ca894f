/*
 * How long `slipway` takes from the call to its first output, beside a Node that does nothing, in the same run: only the
 * difference is ours. Run: node --conditions=source bench/cli-start.ts [rounds]
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../packages/cli/bin/slipway.js', import.meta.url))
const rounds = Number(process.argv[2] ?? 20)
const home = mkdtempSync(join(tmpdir(), 'slipway-bench-'))

const variants: readonly (readonly [name: string, words: readonly string[]])[] = [
  ['node -e 0', ['-e', '0']],
  ['slipway --version', [bin, '--version']],
  ['slipway context list', [bin, 'context', 'list', '-o', 'json']],
  ['slipway project create --help', [bin, 'project', 'create', '--help']],
]

function timeMs(words: readonly string[]): number {
  const start = performance.now()
  const result = spawnSync(process.execPath, words, {
    env: { ...process.env, HOME: home, XDG_CACHE_HOME: '', XDG_CONFIG_HOME: '' },
  })
  if (result.status !== 0) throw new Error(`${words.join(' ')}: ${result.stderr.toString('utf8')}`)
  return performance.now() - start
}

try {
  const times = new Map(variants.map(([name]) => [name, [] as number[]]))
  // The first call compiles; it is shown on its own, because everybody makes it once.
  const firstMs = timeMs(variants[2]?.[1] ?? [])
  for (let round = 0; round < rounds; round += 1)
    for (const [name, words] of variants) times.get(name)?.push(timeMs(words))
  console.log(`first call ever: ${Math.round(firstMs)} ms`)
  for (const [name, all] of times) {
    const sorted = all.toSorted((a, b) => a - b)
    const at = (share: number): number =>
      Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
    console.log(`${name.padEnd(32)} median ${at(0.5)} ms, p95 ${at(0.95)} ms, of ${all.length}`)
  }
} finally {
  rmSync(home, { recursive: true })
}
