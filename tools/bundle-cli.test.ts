import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { bundleCli } from './bundle-cli.ts'

let folder: string
let program: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-bundle-'))
  const { file } = await bundleCli(join(folder, 'made'))
  expect(await readdir(join(folder, 'made'))).toEqual(['slipway.mjs'])
  // Where nothing of the checkout is near.
  await mkdir(join(folder, 'alone'))
  program = join(folder, 'alone/slipway.mjs')
  await copyFile(file, program)
})
afterAll(() => rm(folder, { recursive: true }))

function call(...words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const environment = { PATH: process.env['PATH'] ?? '', HOME: folder, LANG: 'C' }
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...words], { env: environment, cwd: folder }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
  })
}

test('the one file runs alone: version, help in both languages, commands, completion, refusals', async () => {
  expect(await call('--version')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/u) as string,
  })
  expect((await call('release', 'start', '--help')).out).toContain('--image')
  expect((await call('release', 'start', '--help', '--lang', 'zh-CN')).out).toContain('用法')
  expect(await call('context', 'set', 'one', '--server', 'http://127.0.0.1:1')).toMatchObject({ code: 0 })
  expect((await call('context', 'list', '-o', 'yaml')).out).toContain('server: http://127.0.0.1:1')
  expect(await call('project', 'list')).toMatchObject({ code: 1, out: '' })
  expect(await call('nosuch')).toMatchObject({ code: 2, out: '' })
  expect((await call('__complete', 'proj')).out).toContain('project')
})
