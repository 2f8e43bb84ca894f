/*
 * How long `slipway` takes from the call to its end, as sources in a checkout and as the one file that is given away, beside a
 * Node that does nothing, in the same run: only the difference is ours. Run: npm run bench -- cli-start [rounds]
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { bundleCli } from '../tools/bundle-cli.ts'
import { figure, median, publish, quantile } from './report.ts'

const bin = fileURLToPath(new URL('../packages/cli/bin/slipway.js', import.meta.url))
const rounds = Number(process.argv[2] ?? 20)
const home = mkdtempSync(join(tmpdir(), 'slipway-bench-'))

// As it lies where there are no sources: the wrapper that keeps compiled code, and the one file.
const given = join(home, 'given')
cpSync(bin, join(given, 'bin/slipway.js'))
writeFileSync(join(given, 'package.json'), '{"type":"module"}')
const { file, sizeBytes } = await bundleCli(join(given, 'dist'))

const programs = [
  ['', bin],
  [', one file', join(given, 'bin/slipway.js')],
  [', one file without the wrapper', file],
] as const
const calls: readonly (readonly string[])[] = [
  ['--version'],
  ['context', 'list', '-o', 'json'],
  ['project', 'create', '--help'],
]
const variants: readonly (readonly [name: string, words: readonly string[]])[] = [
  ['`node -e 0`', ['-e', '0']],
  ...calls.flatMap((words) =>
    programs.map(([how, program]) => [`\`slipway ${words.join(' ')}\`${how}`, [program, ...words]] as const),
  ),
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
  const firstMs = programs.map(([, program]) => timeMs([program, 'context', 'list', '-o', 'json']))
  for (let round = 0; round < rounds; round += 1)
    for (const [name, words] of variants) times.get(name)?.push(timeMs(words))
  const base = median(times.get('`node -e 0`') ?? [])
  publish({
    name: 'cli-start',
    notes: [
      `${rounds} calls of each in turn. A Node that does nothing stands beside them: only the difference is ours.`,
      `The very first call, which compiles and which everybody makes once, took ${firstMs.map(figure).join(', ')} ms: sources, one file (${Math.round(sizeBytes / 1_024)} KiB), one file without the wrapper.`,
    ],
    tables: [
      {
        title: 'From the call to its end, ms',
        columns: ['', 'median', 'p95', 'ratio to node'],
        rows: [...times].map(([name, all]) => [
          name,
          figure(median(all)),
          figure(quantile(all, 0.95)),
          figure(median(all) / base),
        ]),
      },
    ],
  })
} finally {
  rmSync(home, { recursive: true })
}
