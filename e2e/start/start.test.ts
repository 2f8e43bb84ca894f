/*
 * `npm start` on a fresh clone, as root and as an ordinary user: the sample answers, a second start finds everything, a stop
 * leaves nothing, applications live on when asked to, and a launcher that is killed takes all its children along.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { MIB, systemClock, waitFor } from '@slipway/kit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  cloneCheckout,
  instancesOf,
  isRoot,
  makeAccount,
  processesOf,
  untilAnswer,
  type Installation,
  type Start,
} from './installation.ts'

const accounts = isRoot ? (['root', 'an ordinary user'] as const) : (['an ordinary user'] as const)
if (!isRoot) console.log('npm start as root is not tried: the test runs as an ordinary user')

describe.each(accounts)('as %s', (who) => {
  const cleanup = new AsyncDisposableStack()
  let installation: Installation
  let dataFolder = ''
  let started: Start

  beforeAll(async () => {
    const account = isRoot && who !== 'root' ? cleanup.use(await makeAccount()) : undefined
    // A home is closed to others, what lies below /srv or /opt is not.
    installation = cleanup.use(await cloneCheckout({ account, isOpen: who === 'root' }))
  })
  afterAll(() => cleanup.disposeAsync())

  const all = () => processesOf(dataFolder, installation.checkout)
  const untilNothingRuns = () =>
    waitFor(systemClock, 'nothing to run any more', () => all().length === 0, {
      timeoutMs: 60_000,
    }).catch((cause: unknown) => {
      const left = all().map(({ pid, command }) => `${pid} ${command}`)
      throw new Error(`left running: ${left.join('; ')}`, { cause })
    })

  test('a fresh clone starts, says where everything is, and its sample answers', async () => {
    const beganMs = systemClock.monotonicMs()
    started = installation.start()
    const info = await started.ready()
    const readyMs = systemClock.monotonicMs()
    dataFolder = await installation.dataFolder()
    expect(info.firstRunToken).toMatch(/^slpf_/u)
    expect(await untilAnswer(info.sampleUrl)).toContain('node-web one')
    const seconds = (ms: number): string => ((ms - beganMs) / 1_000).toFixed(1)
    console.log(
      `npm start as ${who}: ready after ${seconds(readyMs)} s (with npm ci), sample answers after ${seconds(systemClock.monotonicMs())} s`,
    )
    await waitFor(systemClock, 'it to be said', () => started.errors().includes('answers'), {
      timeoutMs: 60_000,
    })
  })

  test('another start on the same data folder is refused and says where the first one answers', async () => {
    const { pid, url } = await started.ready()
    const second = installation.start()
    expect(await second.ended).toBe(1)
    expect(second.errors()).toContain(`process ${pid}`)
    expect(second.errors()).toContain(url)
    expect(await untilAnswer((await started.ready()).sampleUrl)).toContain('node-web one')
  })

  test('its four parts fit into the memory of a small machine', () => {
    const instances = new Set(instancesOf(dataFolder).map(({ pid }) => pid))
    const parts = all().filter(
      ({ pid, command }) => !instances.has(pid) && /\/packages\/|postgres/u.test(command),
    )
    const bytes = parts.reduce((sum, { pssBytes }) => sum + pssBytes, 0)
    console.log(`npm start as ${who}: ${(bytes / MIB).toFixed(0)} MB PSS in ${parts.length} processes`)
    expect(parts.length).toBeGreaterThan(3)
  })

  test('SIGTERM ends everything and leaves no address behind', async () => {
    expect(await started.stop('SIGTERM')).toBe(0)
    await untilNothingRuns()
    expect(await readdir(dataFolder)).not.toContain('run.json')
  })

  test('the next start finds everything as it was, and leaves applications running when asked to', async () => {
    started = installation.start('--keep-running')
    const { sampleUrl } = await started.ready()
    expect(await untilAnswer(sampleUrl)).toContain('node-web one')
    const before = await waitFor(
      systemClock,
      'two Instances',
      () => {
        const found = instancesOf(dataFolder).map(({ pid }) => pid)
        return found.length === 2 && found
      },
      { timeoutMs: 60_000 },
    )
    expect(await started.stop('SIGINT')).toBe(0)
    expect(instancesOf(dataFolder).map(({ pid }) => pid)).toEqual(before)
    expect(all().filter(({ command }) => /postgres|\/packages\//u.test(command))).toEqual([])

    started = installation.start()
    expect((await started.ready()).sampleUrl).toBe(sampleUrl)
    expect(await untilAnswer(sampleUrl)).toContain('node-web one')
    expect(instancesOf(dataFolder).map(({ pid }) => pid)).toEqual(before)
  })

  test.each(['the platform', 'the cluster'])('%s that is killed is started again', async (part) => {
    const { pid, url, sampleUrl } = await started.ready()
    const script =
      part === 'the platform' ? 'packages/platform/src/main.ts' : 'packages/minicluster/src/main.ts'
    const victim = all().find(({ command }) => command.includes(script))
    process.kill(victim?.pid ?? 0, 'SIGKILL')
    await waitFor(
      systemClock,
      'it to be said',
      () => started.errors().split('runs again').length > (part === 'the platform' ? 1 : 2),
      {
        timeoutMs: 120_000,
      },
    )
    expect(await untilAnswer(sampleUrl)).toContain('node-web one')
    expect(await untilAnswer(`${url}/docs`)).toContain('html')
    expect((await started.ready()).pid).toBe(pid)
  })

  test('a launcher that is killed takes everything along, and the next start goes on', async () => {
    const { pid, sampleUrl } = await started.ready()
    process.kill(pid, 'SIGKILL')
    await untilNothingRuns()
    // It had no time to take its address away; the pid in it tells that it is stale.
    expect(JSON.parse(await readFile(join(dataFolder, 'run.json'), 'utf8'))).toMatchObject({ pid })
    started = installation.start()
    expect((await started.ready()).sampleUrl).toBe(sampleUrl)
    expect(await untilAnswer(sampleUrl)).toContain('node-web one')
    expect(await started.stop()).toBe(0)
    await untilNothingRuns()
  })

  test('a signal during the start leaves nothing running', async () => {
    started = installation.start()
    await waitFor(systemClock, 'the start to be under way', () => started.errors().includes('cluster'), {
      timeoutMs: 60_000,
    })
    expect(await started.stop('SIGINT')).not.toBe(0)
    expect(started.errors()).toContain('stopped before the start was over')
    await untilNothingRuns()
  })
})

test.runIf(isRoot)('as root in a folder that others cannot enter the sample answers too', async () => {
  await using installation = await cloneCheckout({ isOpen: false })
  const started = installation.start()
  const { sampleUrl } = await started.ready()
  expect(await untilAnswer(sampleUrl)).toContain('node-web one')
  expect(await started.stop()).toBe(0)
})
