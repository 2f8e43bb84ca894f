/* Builds that cannot go well: each ends in the right state, says what to do, and leaves nothing behind. */
import { readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { eachObject, kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { findSshd, sshServer } from '../../packages/platform/src/modules/source/testing-ssh.ts'
import { gitServer } from '../../packages/platform/src/modules/source/testing.ts'
import { settleIn } from '../journey/developer.ts'
import { findProcesses, makeHome, removeHome, startProduct, type Product } from '../journey/product.ts'
import { worksAt, type Works } from './works.ts'

const LIMITS = {
  SLIPWAY_BUILD_MEMORY: '400Mi',
  SLIPWAY_BUILD_DISK: '256Mi',
  SLIPWAY_BUILD_PROCESSES: '100',
}

let home: string
let product: Product
let works: Works
let kube: Kube & Disposable

const sshd = await findSshd()
if ('missing' in sshd) process.stderr.write(`not run: building from ssh, since ${sshd.missing}\n`)

beforeAll(async () => {
  home = await makeHome()
  // Taken over by the product that is started here.
  Object.assign(process.env, LIMITS)
  product = await startProduct(home, { platform: 0, gateway: 0, cluster: 0 })
  works = worksAt((await settleIn(product, home)).cli, home)
  const { access } = parseKubeconfig(await readFile(product.kubeconfig, 'utf8'))
  kube = kubeClient({ access, clock: systemClock, userAgent: 'slipway-builds' })
})
afterAll(async () => {
  kube[Symbol.dispose]()
  await product.stop()
  await removeHome(home)
})

/** Whatever a build may leave: objects in the Cluster, processes, folders. */
async function leftovers(): Promise<readonly string[]> {
  const left: string[] = []
  for (const resource of ['jobs', 'secrets', 'pods'] as const)
    for await (const { metadata } of eachObject(kube, resource, { labelSelector: 'slipway/build' }))
      left.push(`${resource} ${metadata.name}`)
  for (const { pid, command } of await findProcesses(home))
    if (command.includes('/c/build/') || command.includes('build.sh')) left.push(`process ${pid} ${command}`)
  for (const folder of ['cluster/node/run', 'build-spool', 'sources/temporary'])
    for (const name of await readdir(join(home, 'data', folder)).catch(() => []))
      left.push(`${folder}/${name}`)
  return left
}

async function expectNothingLeft(): Promise<void> {
  let left: readonly string[] = []
  await waitFor(
    systemClock,
    'everything of the build to be gone',
    async () => {
      left = await leftovers()
      return left.length === 0
    },
    { timeoutMs: 60_000, everyMs: 500 },
  ).catch((cause: unknown) => {
    throw new Error(`left behind: ${left.join(', ')}`, { cause })
  })
}

describe('what is refused before a build begins', () => {
  const commit = '0123456789abcdef0123456789abcdef01234567'

  test('a commit that is not there', async () => {
    await works.application('unknown', { 'index.html': 'x' })
    for (const ref of [commit, 'no-such-branch', '0000000']) {
      const { exit, err } = await works.cli.run('build', 'start', 'shop/unknown', '--ref', ref)
      expect([exit, err]).toEqual([1, expect.stringContaining(`no branch, tag or commit ${ref}`)])
      expect(err).toContain('slipway source branches')
    }
    expect(await works.cli.json('build', 'list', 'shop/unknown')).toEqual([])
  })

  test('a repository that is gone', async () => {
    const { path } = await works.application('gone', { 'index.html': 'x' })
    await rename(path, `${path}-elsewhere`)
    const { exit, err } = await works.cli.run('build', 'start', 'shop/gone')
    expect([exit, err]).toEqual([1, expect.stringContaining(path)])
    expect(await works.cli.json('build', 'list', 'shop/gone')).toEqual([])
  })

  test('a repository that asks for a password; with the password it is built', async () => {
    const { path } = await works.application('locked', { 'index.html': 'locked' })
    await using server = await gitServer(home, 'a-git-token')
    const url = `${server.url}/locked/.git`
    expect(path).toBe(join(home, 'locked'))
    const set = await works.cli.run('source', 'set', 'shop/locked', url)
    expect([set.exit, set.err]).toEqual([1, expect.stringContaining('--token-stdin')])
    expect((await works.cli.run('source', 'set', 'shop/locked', url, '--no-verify')).exit).toBe(0)
    const refused = await works.cli.run('build', 'start', 'shop/locked')
    expect([refused.exit, refused.err]).toEqual([1, expect.stringContaining('--token-stdin')])
    const flags = ['--username', 'ci', '--token-stdin']
    await works.cli.succeed(['source', 'set', 'shop/locked', url, ...flags], 'a-git-token\n')
    const { ran, build, log } = await works.build('locked')
    expect([ran.exit, build['state']], ran.err).toEqual([0, 'Succeeded'])
    expect(log + ran.err + ran.out).not.toContain('a-git-token')
    await expectNothingLeft()
  })
})

test.skipIf('missing' in sshd)('a repository behind ssh is built with its key', async () => {
  if ('missing' in sshd) return
  const { path } = await works.application('ssh', { 'index.html': 'by ssh' })
  await using server = await sshServer(sshd)
  await works.cli.succeed(
    ['source', 'set', 'shop/ssh', `${server.url}${path}`, '--key-file', '-'],
    server.key,
  )
  const { ran, build } = await works.build('ssh')
  expect([ran.exit, build['state']], ran.err).toEqual([0, 'Succeeded'])
  await expectNothingLeft()
})

type Bad = {
  readonly files: Readonly<Record<string, string>>
  readonly code: string
  /** What a person reads. */
  readonly text: RegExp
}

const scripted = (script: string, more = ''): Bad['files'] => ({
  'index.html': 'x',
  'build.sh': `#!/bin/sh\n${script}\n`,
  'slipway.yaml': `version: 1\nbuild: {language: static, timeoutSeconds: 60${more}}\n`,
})

const bad: Readonly<Record<string, Bad>> = {
  fails: {
    files: scripted('echo no luck >&2\nexit 7'),
    code: 'build_command_failed',
    text: /ended with exit code 7/u,
  },
  hangs: {
    files: {
      ...scripted('trap "" TERM\nsleep 600 & sleep 600'),
      'slipway.yaml': 'version: 1\nbuild: {language: static, timeoutSeconds: 10}\n',
    },
    code: 'build_timeout',
    text: /longer than 10 s\..*build\.timeoutSeconds/u,
  },
  'fills-disk': {
    files: scripted('head -c 400000000 /dev/zero > big\nsleep 50'),
    code: 'build_out_of_disk',
    text: /more than 256Mi of disk\..*SLIPWAY_BUILD_DISK/u,
  },
  forks: {
    files: scripted('i=0\nwhile [ $i -lt 300 ]; do sleep 50 & i=$((i+1)); done\nwait'),
    code: 'build_too_many_processes',
    text: /more than 100 processes.*SLIPWAY_BUILD_PROCESSES/u,
  },
  'eats-memory': {
    files: scripted(`node -e "const a = []; for (;;) a.push(Buffer.alloc(20e6, 1))"`),
    code: 'build_out_of_memory',
    text: /more than 400Mi of memory\..*SLIPWAY_BUILD_MEMORY/u,
  },
  'links-out': {
    files: scripted('ln -s ../../../../etc/passwd secret'),
    code: 'build_package_refused',
    text: /secret/u,
  },
  'no-output': {
    files: scripted('true', ', output: dist'),
    code: 'build_command_failed',
    text: /no folder dist/u,
  },
  undetected: { files: { 'README.md': 'x' }, code: 'build_nothing_detected', text: /build\.language/u },
  misspelt: {
    files: { 'index.html': 'x', 'slipway.yaml': 'version: 1\nbuld: {}\n' },
    code: 'app_manifest_invalid',
    text: /buld/u,
  },
}

describe('a build that fails says why in API and CLI, and leaves nothing behind', () => {
  test.each(Object.entries(bad))('%s', async (name, { files, code, text }) => {
    await works.application(name, files)
    const { ran, build, log } = await works.build(name)
    expect([ran.exit, build['state'], build['reason']], log).toMatchObject([1, 'Failed', { code }])
    expect(ran.err).toMatch(text)
    const shown = await works.cli.run('build', 'show', `shop/${name}`)
    expect([shown.exit, shown.err]).toEqual([0, expect.stringMatching(text)])
    expect(log).toContain(`failed: ${code}`)
    expect(await works.cli.json('image', 'list', `shop/${name}`)).toEqual([])
    await expectNothingLeft()
  })
})

test('100 MB of output are cut in the log, and the build goes on', async () => {
  await works.application(
    'prints',
    scripted(
      'yes 0123456789012345678901234567890123456789012345678901234567890123456789 | head -c 100000000',
    ),
  )
  const { ran, build, log } = await works.build('prints', '--detach')
  expect(ran.exit).toBe(0)
  expect(build['number']).toBe(1)
  expect(log).toContain('the rest was left out')
  expect(log.length).toBeLessThan(24_000_000)
  const ended = await works.cli.json('build', 'show', 'shop/prints')
  expect([ended['state'], ended['reason']]).toEqual(['Succeeded', null])
  await expectNothingLeft()
})

test('a daemon that a build leaves behind ends with it', async () => {
  await works.application('daemon', scripted('setsid sleep 4321 > /dev/null 2>&1 &\nsleep 1'))
  const { ran, build } = await works.build('daemon')
  expect([ran.exit, build['state']], ran.err).toEqual([0, 'Succeeded'])
  await expectNothingLeft()
  expect((await findProcesses(home)).filter(({ command }) => command.includes('sleep 4321'))).toEqual([])
})

test('a cancelled build ends within seconds, with everything it started', async () => {
  await works.application('cancelled', scripted('trap "" TERM\nsetsid sleep 600 &\nsleep 600'))
  const started = await works.cli.json('build', 'start', 'shop/cancelled', '--detach')
  const shown = () => works.cli.json('build', 'show', String(started['id']))
  await waitFor(systemClock, 'the build to run', async () => (await shown())['progress'] === 'running', {
    timeoutMs: 60_000,
    everyMs: 300,
  })
  await works.cli.succeed(['build', 'cancel', 'shop/cancelled'])
  await waitFor(systemClock, 'its end', async () => (await shown())['state'] === 'Cancelled', {
    timeoutMs: 30_000,
    everyMs: 300,
  })
  await expectNothingLeft()
})
