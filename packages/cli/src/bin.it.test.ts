import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, test } from 'vitest'

const bin = fileURLToPath(new URL('../bin/slipway.js', import.meta.url))
let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'slipway-bin-'))
})
afterAll(() => rm(home, { recursive: true }))

function start(
  words: readonly string[],
  script?: string,
): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const environment = { PATH: process.env['PATH'] ?? '', HOME: home, LANG: 'C' }
    // With a script, bash gets the command as its first argument and the words after it.
    const [program, given] =
      script === undefined
        ? [process.execPath, [bin, ...words]]
        : ['bash', ['-c', script, process.execPath, bin, ...words]]
    const child = spawn(program, given, { env: environment, cwd: home })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')))
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, err }))
  })
}

test('the program runs from its sources and passes exit codes on', async () => {
  expect(await start(['--version'])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/u) as string,
    err: '',
  })
  expect(await start(['nosuch'])).toMatchObject({ code: 2, out: '' })
  expect(await start(['project', 'list', '--server', 'http://127.0.0.1:1'])).toMatchObject({
    code: 1,
    out: '',
  })
})

test('a reader that leaves early is no error', async () => {
  const result = await start([], '"$0" "$1" --help | true; echo "${PIPESTATUS[0]}"')
  expect(result.out.trim()).toBe('0')
  expect(result.err).toBe('')
})

test('the completion scripts are understood by their shells and offer the nouns', async () => {
  const script = `source <("$0" "$1" completion bash); slipway() { "${process.execPath}" "${bin}" "$@"; }
    COMP_WORDS=(slipway proj); COMP_CWORD=1; _slipway; echo "\${COMPREPLY[@]}"`
  expect(await start([], script)).toMatchObject({ code: 0, out: 'project\n', err: '' })
})
