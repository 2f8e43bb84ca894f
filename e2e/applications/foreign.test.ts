/*
 * Applications that nobody wrote for Slipway, four Instances of each on one machine: they run, or they are refused with a
 * reason that their owner can act on; and whatever they started is gone when they are.
 */
import { spawnSync } from 'node:child_process'

import { systemClock, waitFor } from '@slipway/kit'
import { freePort } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type Answer, openStage, processesOf, type Stage } from './stage.ts'

let stage: Stage
const podUids: string[] = []

beforeAll(async () => {
  stage = await openStage()
})
afterAll(async () => {
  await stage[Symbol.asyncDispose]()
  expect(processesOf(podUids)).toEqual([])
})

async function uidsOf(name: string): Promise<readonly string[]> {
  const uids = (await stage.pods(name)).map((pod) => pod.metadata.uid)
  podUids.push(...uids)
  return uids
}

/** All four became ready, each answers through the gateway, and nothing of them stays. */
async function expectFourRun(
  name: string,
  holds: (answers: readonly Answer[]) => boolean = () => true,
): Promise<void> {
  await stage.waitReady(name, 4)
  const names = (await stage.pods(name)).map((pod) => pod.metadata.name).toSorted()
  const uids = await uidsOf(name)
  expect(processesOf(uids).length).toBeGreaterThanOrEqual(4)
  await stage.ask(
    name,
    (answers) =>
      holds(answers) && String([...new Set(answers.map(({ pod }) => pod))].toSorted()) === String(names),
  )
  await stage.remove(name)
  expect(processesOf(uids)).toEqual([])
}

/** Each Instance is answered by more than one of its processes. */
function isSpread(answers: readonly Answer[]): boolean {
  const seen = Map.groupBy(answers, ({ pod }) => pod)
  return [...seen.values()].every((each) => new Set(each.map(({ pid }) => pid)).size > 1)
}

test('one that binds to all addresses runs four times, each at its own $PORT', async () => {
  await stage.deploy({ name: 'everywhere', command: ['node', 'all-addresses.mjs'] })
  await expectFourRun('everywhere')
})

test('one that insists on a port on all addresses runs once; the others are refused with who holds the port', async () => {
  const port = await freePort()
  const name = 'insisting'
  await stage.deploy({ name, command: ['node', 'fixed-port.mjs', String(port)], port })
  const messages = await stage.waitEvents(name, 'PortInUse', 3)
  await stage.waitReady(name, 1)
  const pods = await stage.pods(name)
  const ready = pods.filter((pod) => pod.status?.containerStatuses?.[0]?.ready === true)
  expect(ready).toHaveLength(1)
  const holder = `foreign/${ready[0]?.metadata.name}`
  for (const message of messages) {
    expect(message).toContain(`Port ${port} is held on all addresses by pod ${holder}`)
    expect(message).toContain('$PORT')
  }
  await stage.ask(
    name,
    (answers) => answers.length >= 20 && answers.every(({ pod }) => `foreign/${pod}` === holder),
  )
  const uids = await uidsOf(name)
  await stage.remove(name)
  expect(processesOf(uids)).toEqual([])
})

test('one that insists on a port, but at $HOST, runs four times', async () => {
  const port = await freePort()
  await stage.deploy({ name: 'own-address', command: ['node', 'server.mjs', String(port)], port })
  await expectFourRun('own-address')
})

test('one whose server runs as a daemon below it runs four times, and the daemons end with it', async () => {
  await stage.deploy({ name: 'daemon', command: ['node', 'daemon.mjs', 'stay'] })
  await expectFourRun('daemon')
})

test('one that leaves a daemon behind and ends is refused: the daemon is ended, and the pods say so', async () => {
  const name = 'leaving'
  await stage.deploy({ name, command: ['node', 'daemon.mjs', 'leave'] })
  const messages = await stage.waitEvents(name, 'BackOff', 4)
  expect(messages[0]).toMatch(/Back-off restarting failed container main in pod leaving-/u)
  const uids = await uidsOf(name)
  const waiting = await waitFor(
    systemClock,
    'all four to wait',
    async () => {
      const states = (await stage.pods(name)).map((pod) => pod.status?.containerStatuses?.[0])
      return states.every((state) => state?.state?.waiting?.reason === 'CrashLoopBackOff') && states
    },
    { timeoutMs: 90_000, everyMs: 50 },
  )
  expect(waiting).toHaveLength(4)
  for (const state of waiting) {
    expect(state?.lastState?.terminated).toMatchObject({ reason: 'Completed', exitCode: 0 })
    expect(state?.ready).toBe(false)
  }
  const [first] = await stage.pods(name)
  expect(await stage.log(first?.metadata.name ?? '')).toMatch(/left \d+ behind/u)
  await stage.remove(name)
  expect(processesOf(uids)).toEqual([])
})

test('one that a shell starts without exec runs four times; SIGTERM ends the shell, as in a container, and its server with it', async () => {
  const name = 'shell'
  await stage.deploy({ name, command: ['sh', '-c', 'node server.mjs; echo the shell goes on'] })
  await stage.waitReady(name, 4)
  const [first] = await stage.pods(name)
  const { rest } = await stage.follow(first?.metadata.name ?? '')
  await expectFourRun(name)
  expect(await rest).not.toContain('the shell goes on')
})

test('one that shares its port among workers runs four times, and every worker answers', async () => {
  await stage.deploy({ name: 'workers', command: ['node', 'workers.mjs'] })
  await expectFourRun('workers', isSpread)
})

test.runIf(spawnSync('python3', ['--version']).status === 0)(
  'one that forks its workers after binding runs four times, and every worker answers',
  async () => {
    await stage.deploy({ name: 'prefork', language: 'python', command: ['python3', 'prefork.py'] })
    await expectFourRun('prefork', isSpread)
  },
)
