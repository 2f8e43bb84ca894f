import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import { systemClock } from '@slipway/kit'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { lockDataFolder } from './data-folder-lock.ts'
import { openDataFolder } from './data-folder.ts'
import type { DataFolderOptions } from './data-folder.ts'
import { openMasterKey } from './master-key.ts'
import { provideNode } from './runtimes.ts'

const NOBODY = 65_534
const isRoot = process.getuid?.() === 0

let folder: string
let checkout: string

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'slipway-data-')))
  await chmod(folder, 0o755)
  checkout = join(folder, 'checkout')
  await mkdir(checkout, { mode: 0o700 })
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

function open(more: Partial<DataFolderOptions> = {}) {
  return openDataFolder({
    checkoutFolder: checkout,
    version: '1.0.0',
    systemFolder: join(folder, 'system'),
    ...more,
  })
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o777

async function startNode(code: string, uid?: number) {
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', code], {
    cwd: '/',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  const [told] = (await once(child, 'message')) as [unknown]
  return { child, told }
}

const importOf = (file: string) => `await import(${JSON.stringify(new URL(file, import.meta.url).href)})`
const kit = `await import(${JSON.stringify(import.meta.resolve('@slipway/kit'))})`

test.runIf(isRoot)(
  'as root the folder in the checkout is a link to one that others can enter and not list',
  async () => {
    const data = await open()
    expect(data.path).toMatch(new RegExp(`^${join(folder, 'system')}/checkout-[0-9a-f]{8}$`))
    expect(await readlink(join(checkout, '.slipway'))).toBe(data.path)
    expect(await modeOf(data.path)).toBe(0o711)
    expect(await modeOf(data.keysFolder)).toBe(0o700)
    expect(await modeOf(data.blobsFolder)).toBe(0o700)
    expect(await modeOf(data.runtimesFolder)).toBe(0o711)
    expect((await open()).path).toBe(data.path)
  },
)

test.runIf(isRoot)(
  'a checkout that was moved keeps its data, and a link that leads nowhere is made anew',
  async () => {
    const data = await open()
    const moved = join(folder, 'moved')
    await rename(checkout, moved)
    expect((await open({ checkoutFolder: moved })).path).toBe(data.path)
    await rm(data.path, { recursive: true })
    expect(basename((await open({ checkoutFolder: moved })).path)).toMatch(/^moved-/)
  },
)

test.runIf(isRoot)(
  'as root a data folder below a closed one is refused with the one that blocks, and not made',
  async () => {
    const blocked = join(folder, 'closed')
    await mkdir(join(blocked, 'open'), { recursive: true })
    await chmod(blocked, 0o750)
    const dataFolder = join(blocked, 'open', 'deep', 'data')
    await expect(open({ dataFolder })).rejects.toMatchObject({
      code: 'data_folder_not_enterable',
      params: { folder: dataFolder, blocked },
    })
    expect(await readdir(join(blocked, 'open'))).toEqual([])
    await symlink(join(blocked, 'open'), join(folder, 'link'))
    await expect(open({ dataFolder: join(folder, 'link') })).rejects.toMatchObject({
      code: 'data_folder_not_enterable',
      params: { blocked },
    })
  },
)

test.runIf(isRoot)('an ordinary user has the folder in the checkout, closed to others', async () => {
  const { chown } = await import('node:fs/promises')
  await chown(checkout, NOBODY, NOBODY)
  const { told } = await startNode(
    `const { openDataFolder } = ${importOf('data-folder.ts')}
     process.send(await openDataFolder({ checkoutFolder: ${JSON.stringify(checkout)}, version: '1' }))
     process.disconnect()`,
    NOBODY,
  )
  const path = join(checkout, '.slipway')
  expect(told).toMatchObject({ path })
  expect((await lstat(path)).isDirectory()).toBe(true)
  expect(await modeOf(path)).toBe(0o700)
  // And root, started later, does not mix its files in.
  await chmod(checkout, 0o755)
  await expect(open()).rejects.toMatchObject({ code: 'data_folder_other_account', params: { uid: NOBODY } })
})

test('a folder with something else in it is refused and left alone', async () => {
  const dataFolder = join(folder, 'letters')
  await mkdir(dataFolder)
  await writeFile(join(dataFolder, 'letter.txt'), 'dear')
  await expect(open({ dataFolder })).rejects.toMatchObject({ code: 'data_folder_foreign' })
  expect(await readdir(dataFolder)).toEqual(['letter.txt'])
})

test('a folder of a newer layout is refused with the version to start', async () => {
  const dataFolder = join(folder, 'data')
  await open({ dataFolder })
  await writeFile(join(dataFolder, 'slipway.json'), JSON.stringify({ layout: 99, version: '9.1.0' }))
  await expect(open({ dataFolder })).rejects.toMatchObject({
    code: 'data_folder_newer',
    params: { version: '9.1.0' },
  })
})

test('a path that is a file is refused by name', async () => {
  const dataFolder = join(folder, 'file')
  await writeFile(dataFolder, '')
  await expect(open({ dataFolder })).rejects.toMatchObject({
    code: 'data_folder_unreadable',
    params: { folder: dataFolder },
  })
})

test('a second start on one folder is refused with pid and address of the first', async () => {
  const first = await lockDataFolder(folder, systemClock)
  await expect(lockDataFolder(folder, systemClock)).rejects.toMatchObject({
    code: 'data_folder_in_use',
    params: { pid: process.pid, address: '' },
  })
  await first.setAddress('http://localhost:7447')
  await expect(lockDataFolder(folder, systemClock)).rejects.toMatchObject({
    params: { pid: process.pid, address: 'http://localhost:7447' },
  })
  await first[Symbol.asyncDispose]()
  expect(await readdir(folder)).toEqual(['checkout'])
  await using _again = await lockDataFolder(folder, systemClock)
})

test('the lock of a process that was killed is taken over, by one of many', async () => {
  const { child, told } = await startNode(
    `const { lockDataFolder } = ${importOf('data-folder-lock.ts')}
     const { systemClock } = ${kit}
     await lockDataFolder(${JSON.stringify(folder)}, systemClock)
     process.on('message', () => undefined)
     process.send('locked')`,
  )
  expect(told).toBe('locked')
  await expect(lockDataFolder(folder, systemClock)).rejects.toMatchObject({ params: { pid: child.pid ?? 0 } })
  child.kill('SIGKILL')
  await once(child, 'exit')
  const results = await Promise.allSettled(
    Array.from({ length: 12 }, () => lockDataFolder(folder, systemClock)),
  )
  const won = results.filter((result) => result.status === 'fulfilled')
  expect(won).toHaveLength(1)
  for (const { value } of won) await value[Symbol.asyncDispose]()
})

test('a lock from another machine counts while its time moves, and no longer', async () => {
  const first = await lockDataFolder(folder, systemClock)
  const path = join(folder, 'lock')
  const foreign = {
    ...(JSON.parse(await readFile(path, 'utf8')) as object),
    bootId: 'x',
    machineId: 'y',
    token: 'z',
  }
  await writeFile(path, JSON.stringify(foreign))
  // The first holder's heartbeat still moves the file's time, as the foreign one's would.
  await expect(lockDataFolder(folder, systemClock)).rejects.toMatchObject({ code: 'data_folder_in_use' })
  await first[Symbol.asyncDispose]()
  const fastClock = { ...systemClock, sleep: () => systemClock.sleep(1) }
  await using _second = await lockDataFolder(folder, fastClock)
})

test('the master key is made once, kept closed, and opens what it sealed', async () => {
  const data = await open({ dataFolder: join(folder, 'data') })
  const owner = ['org_1', 'kind', 'id', '1'] as const
  const sealed = (await openMasterKey(data)).seal('secret', owner)
  expect(await modeOf(join(data.keysFolder, 'master.key'))).toBe(0o600)
  await chmod(join(data.keysFolder, 'master.key'), 0o644)
  expect((await openMasterKey(data)).open(sealed, owner).toString()).toBe('secret')
  expect(await modeOf(join(data.keysFolder, 'master.key'))).toBe(0o600)
})

test('another master key is told before anything is done with it, and a lost one is not replaced', async () => {
  const data = await open({ dataFolder: join(folder, 'data') })
  const other = await open({ dataFolder: join(folder, 'other') })
  await openMasterKey(data)
  await openMasterKey(other)
  const path = join(data.keysFolder, 'master.key')
  await writeFile(path, await readFile(join(other.keysFolder, 'master.key')))
  await expect(openMasterKey(data)).rejects.toMatchObject({ code: 'master_key_wrong' })
  await rm(path)
  await expect(openMasterKey(data)).rejects.toMatchObject({ code: 'master_key_missing', params: { path } })
  expect(await readdir(data.keysFolder)).toEqual([])
})

test('two first starts at once end with one key', async () => {
  const data = await open({ dataFolder: join(folder, 'data') })
  const owner = ['org_1', 'kind', 'id', '1'] as const
  const [first, second] = await Promise.all([openMasterKey(data), openMasterKey(data)])
  expect(second.open(first.seal('secret', owner), owner).toString()).toBe('secret')
})

test.runIf(isRoot)('as root other accounts get a Node.js they can run', async () => {
  const data = await open()
  const node = await provideNode(data)
  expect(await provideNode(data)).toBe(node)
  const child = spawn(node, ['-p', 'process.getuid()'], { uid: NOBODY, gid: NOBODY, cwd: '/' })
  const output = (await child.stdout.toArray()).join('')
  expect(output.trim()).toBe(String(NOBODY))
})

test('an ordinary user runs applications on the same Node.js', async () => {
  expect(await provideNode(await open({ dataFolder: join(folder, 'data') }), 1000)).toBe(process.execPath)
})
