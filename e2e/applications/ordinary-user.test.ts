/* As root every Instance has an account of its own; as an ordinary user they share one. The same applications are tried as both. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

import { expect, test } from 'vitest'

import { checkout } from '../journey/product.ts'
import { isRoot, makeAccount } from '../start/installation.ts'

const TIMEOUT_MS = 600_000

test.runIf(isRoot)(
  'applications that nobody wrote for Slipway run, or are refused, as an ordinary user too',
  async () => {
    await using account = await makeAccount()
    const child = spawn(
      process.execPath,
      [
        'node_modules/.bin/vitest',
        'run',
        '--config=vitest.e2e.config.ts',
        // Neither writes into the checkout, which is another account's.
        '--configLoader=runner',
        '--no-cache',
        'e2e/applications/foreign.test.ts',
      ],
      {
        cwd: checkout,
        uid: account.uid,
        gid: account.gid,
        env: {
          PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
          HOME: account.home,
          TMPDIR: account.home,
          USER: account.name,
          NO_COLOR: '1',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (part: Buffer) => (output += part.toString('utf8')))
    const [code] = (await once(child, 'close')) as [number | null]
    expect({ code, output: code === 0 ? '' : output.slice(-20_000) }).toEqual({ code: 0, output: '' })
    expect(output).toMatch(/Tests +\d+ passed/u)
    expect(processesOfAccount(account.uid)).toEqual([])
  },
  TIMEOUT_MS,
)

function processesOfAccount(uid: number): readonly string[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      if (!/^\d+$/u.test(name) || statSync(`/proc/${name}`).uid !== uid) return []
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
      // A dead process that nobody has collected yet has no command.
      return command === '' ? [] : [`${name} ${command}`]
    } catch {
      return [] // ended meanwhile
    }
  })
}
