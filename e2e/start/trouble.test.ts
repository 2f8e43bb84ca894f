/* What goes wrong while everything runs: Clusters that cannot be used, and a disk that fills. */
import { execFile } from 'node:child_process'
import { access, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { isRecord, systemClock, systemCodeOf, waitFor } from '@slipway/kit'
import { freePort } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { cliAt, type Cli } from '../journey/cli.ts'
import { makeHome, startProduct, type Ports, type Product } from '../journey/product.ts'
import { isRoot, processesOf } from './installation.ts'

const run = promisify(execFile)
const PASSWORD = 'correct horse battery staple'
const SMALL_DISK = 'size=900m,mode=755'
const MIB = 1024 * 1024

const cleanup = new AsyncDisposableStack()
let home: string
let ports: Ports
let product: Product
let cli: Cli
/** Whether the data lies on a small disk of its own. */
let isSmall = false

beforeAll(async () => {
  home = await makeHome()
  cleanup.defer(() => rm(home, { recursive: true, force: true }))
  await mountSmallDisk()
  ports = { platform: await freePort(), gateway: await freePort(), cluster: await freePort() }
  product = await startProduct(home, ports)
  cleanup.defer(async () => {
    await product.stop()
    const isOver = (): boolean => processesOf(join(home, 'data')).length === 0
    await waitFor(systemClock, 'nothing to run any more', isOver, { timeoutMs: 60_000 })
  })
  cli = cliAt(home, product.url)
  await cli.succeed(
    ['login', '--first-run-token', product.firstRunToken ?? '', '--name', 'ada', '--password-stdin'],
    `${PASSWORD}\n`,
  )
})
afterAll(() => cleanup.disposeAsync())

async function mountSmallDisk(): Promise<void> {
  if (!isRoot) return
  const data = join(home, 'data')
  await run('mkdir', [data])
  try {
    await run('mount', ['-t', 'tmpfs', '-o', SMALL_DISK, 'tmpfs', data])
  } catch {
    return // a container that may not mount
  }
  isSmall = true
  cleanup.defer(async () => {
    await run('umount', [data])
  })
}

async function clusterSlugs(): Promise<readonly string[]> {
  const { out } = await cli.succeed(['cluster', 'list', '--output', 'name'])
  return out.trim().split('\n')
}

/** Registers a Cluster that cannot be used, and sees that nothing of it was kept. */
async function refusedCluster(text: string): Promise<{ readonly exit: number; readonly err: string }> {
  const path = join(home, 'kubeconfig.yaml')
  await writeFile(path, text)
  const before = await clusterSlugs()
  const refused = await cli.run('cluster', 'register', 'far', '--kubeconfig', path)
  expect(await clusterSlugs()).toEqual(before)
  expect(refused.out).toBe('')
  return refused
}

test('a kubeconfig that runs a program is refused by that field, and says what to put in its place', async () => {
  const trace = join(home, 'trace')
  const { exit, err } = await refusedCluster(`apiVersion: v1
kind: Config
current-context: one
contexts: [{ name: one, context: { cluster: one, user: one } }]
clusters: [{ name: one, cluster: { server: 'https://127.0.0.1:6443' } }]
users:
  - name: one
    user:
      exec: { apiVersion: client.authentication.k8s.io/v1, command: touch, args: ['${trace}'] }
`)
  expect(exit).toBe(2)
  expect(err).toContain('the field exec, which is refused; give a token of a ServiceAccount')
  await expect(access(trace)).rejects.toThrow('ENOENT')
})

test('a Cluster that nobody can reach is refused with its address and what to check', async () => {
  const server = `https://127.0.0.1:${await freePort()}`
  const text = await readFile(product.kubeconfig, 'utf8')
  const { err, exit } = await refusedCluster(text.replace(/https:\/\/127\.0\.0\.1:\d+/u, server))
  expect(exit).toBe(1)
  expect(err).toContain(`Cluster far does not answer`)
  expect(err).toContain(server)
  expect(err).toContain('Check that it runs')
})

test('a full disk refuses changes by name and loses none that was accepted', async (context) => {
  if (!isSmall) context.skip('a small disk needs root and the right to mount')
  const { out } = await cli.succeed(['token', 'create', 'filler', '--output', 'json'])
  const secret = /slp[a-z]*_[A-Za-z0-9_-]+/u.exec(out)?.[0] ?? ''
  const accepted: string[] = []

  type Answer = { readonly status: number; readonly code: unknown; readonly message: unknown }
  async function create(slug: string): Promise<Answer> {
    const response = await fetch(`${product.url}/v1/organizations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ slug, name: slug }),
      signal: AbortSignal.timeout(60_000),
    })
    const body: unknown = await response.json()
    const error = isRecord(body) && isRecord(body['error']) ? body['error'] : body
    if (response.status === 201 || response.status === 200) accepted.push(slug)
    const { code, message } = isRecord(error) ? error : {}
    return { status: response.status, code, message }
  }

  let count = 0
  const next = (): Promise<Answer> => create(`filler-${(count += 1)}`)
  expect((await next()).status).toBeLessThan(300)
  const filler = join(home, 'data', 'filler')
  await fill(filler)
  const refused = await waitFor(
    systemClock,
    'a change to be refused',
    async () => {
      const answer = await next()
      return answer.status >= 500 ? answer : undefined
    },
    { timeoutMs: 120_000, everyMs: 20 },
  )
  expect(refused).toMatchObject({ status: 507, code: 'database_full' })
  expect(refused.message).toContain('room')
  expect((await fetch(`${product.url}/v1/version`)).status).toBe(200)

  await rm(filler)
  await waitFor(systemClock, 'changes to be accepted again', async () => (await next()).status < 300, {
    timeoutMs: 120_000,
    everyMs: 200,
  })
  await product.stop()
  product = await startProduct(home, ports)
  const { out: list } = await cli.succeed(['organization', 'list', '--limit', '1000', '--output', 'name'])
  const kept = list.trim().split('\n')
  expect(accepted.filter((slug) => !kept.includes(slug))).toEqual([])
  // What was refused is not there either.
  expect(kept.filter((slug) => slug.startsWith('filler-')).toSorted()).toEqual(accepted.toSorted())
})

/** Writes until nothing more fits. */
async function fill(path: string): Promise<void> {
  await using file = await open(path, 'w')
  for (const size of [MIB, 4096]) {
    const part = Buffer.alloc(size, 1)
    try {
      for (;;) await file.write(part)
    } catch (thrown) {
      if (systemCodeOf(thrown) !== 'ENOSPC') throw thrown
    }
  }
}
