import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { programPath } from './program-path.ts'

const SYSTEM = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Folders of a made-up machine, each with these programs. */
async function machine(folders: Readonly<Record<string, readonly string[]>>): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'slipway-path-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  await chmod(root, 0o755)
  for (const [folder, programs] of Object.entries(folders)) {
    await mkdir(path.join(root, folder), { recursive: true, mode: 0o755 })
    for (const program of programs) await writeFile(path.join(root, folder, program), '', { mode: 0o755 })
  }
  return root
}

test('only folders with a language’s programs come before the system’s, in their order', async () => {
  const root = await machine({
    'java/bin': ['java', 'javac'],
    'node/bin': ['node'],
    'own/scripts': ['deploy', 'ls'],
    'checkout/node_modules/.bin': ['node', 'tsc'],
  })
  const given = ['checkout/node_modules/.bin', 'own/scripts', 'node/bin', 'java/bin']
    .map((folder) => path.join(root, folder))
    .join(':')
  const expected = [path.join(root, 'node/bin'), path.join(root, 'java/bin'), SYSTEM].join(':')
  expect(await programPath(`${given}:relative:/usr/bin::${SYSTEM}`, false)).toBe(expected)
})

test('the first folder that has a program counts, and the system’s stay where they are', async () => {
  const root = await machine({ 'a/bin': ['java'], 'b/bin': ['java'] })
  const given = `${path.join(root, 'a/bin')}:${path.join(root, 'b/bin')}`
  expect(await programPath(given, false)).toBe(`${path.join(root, 'a/bin')}:${SYSTEM}`)
  expect(await programPath('', false)).toBe(SYSTEM)
  expect(await programPath('/sbin:/usr/bin', false)).toBe(SYSTEM)
})

test('what other accounts cannot reach is no folder for them', async () => {
  const root = await machine({ 'home/bin': ['python3'] })
  await chmod(path.join(root, 'home'), 0o700)
  const given = path.join(root, 'home/bin')
  expect(await programPath(given, true)).toBe(SYSTEM)
  expect(await programPath(given, false)).toBe(`${given}:${SYSTEM}`)
})
