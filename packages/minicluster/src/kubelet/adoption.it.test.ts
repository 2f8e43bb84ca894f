/** The agent is killed in mid run, or run by an ordinary user: both with an agent in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { systemClock, waitFor } from '@slipway/kit'
import { expect, test } from 'vitest'

import { findMarker, isRunning, listProcesses } from './proc.ts'
import { loadPods } from './state.ts'
import { makeFolder, NAMESPACE, openStage, quiet, serveImage } from './testing.ts'

const ORDINARY_UID = 65_534

function startAgent(folder: string, image: string, task: string, uid?: number): ChildProcess {
  const file = fileURLToPath(import.meta.resolve('./testing-agent.ts'))
  return spawn(process.execPath, ['--conditions=source', file, folder, image, task], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: folder,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  return text.split('\n')[0] ?? ''
}

test('killed three times in mid run, the agent adopts its Instance and loses or doubles no line', async () => {
  const folder = await makeFolder()
  using images = await serveImage(folder)
  for (let round = 0; round < 3; round += 1) {
    const agent = startAgent(folder, images.image, 'hold')
    expect(await firstLine(agent)).toBe('ready')
    await systemClock.sleep(150 + round * 120)
    agent.kill('SIGKILL')
    await once(agent, 'exit')
  }
  const [record] = await loadPods(
    { root: folder, images: '', run: '', state: path.join(folder, 'kubelet', 'state') },
    quiet,
  )
  const wrapper = record?.containers['main']?.wrapper
  expect(wrapper && isRunning(wrapper)).toBe(true)

  const stage = await openStage({ folder, image: images.image })
  await stage.start()
  const pod = await stage.waitForPod('printer', 'running', ({ status }) => status?.phase === 'Running')
  expect(pod.status?.containerStatuses?.[0]).toMatchObject({ restartCount: 0, ready: true })
  const lines = (await stage.log('printer')).trimEnd().split('\n')
  expect(lines.length).toBeGreaterThan(20_000)
  expect(lines.findIndex((line, index) => !line.startsWith(`${index} x`))).toBe(-1)

  await stage.registry.remove('pods', NAMESPACE, 'printer')
  await stage.waitGone('printer')
  expect(listProcesses().filter(({ pid }) => findMarker(pid)?.includes(pod.metadata.uid))).toEqual([])
  await stage[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('an Instance that ended while no agent ran is noticed, and one whose pod was deleted meanwhile is ended', async () => {
  const folder = await makeFolder()
  using images = await serveImage(folder)
  const first = await openStage({ folder, image: images.image })
  const agent = await first.start()
  const doomed = await first.createPod('doomed', { command: ['node', '/app/stubborn.mjs'] })
  await first.createPod('ended', {
    command: ['node', '/app/printer.mjs', '3', '1000'],
    spec: { restartPolicy: 'Never' },
  })
  const alive = await first.waitForPod('ended', 'running', ({ status }) => status?.phase === 'Running')
  await waitFor(systemClock, 'its lines', async () => (await first.log('ended')).includes('\n2 x'), {
    timeoutMs: 20_000,
  })
  await first.waitForPod('doomed', 'running', ({ status }) => status?.phase === 'Running')
  await agent.stop({ keepRunning: true })
  const mine = listProcesses().filter(({ pid }) => findMarker(pid)?.includes(alive.metadata.uid))
  expect(mine.length).toBeGreaterThan(0)
  for (const { pid } of mine) process.kill(pid, 'SIGKILL')
  await first.registry.remove('pods', NAMESPACE, 'doomed', { gracePeriodSeconds: 0 })
  await first.start()
  const ended = await first.waitForPod('ended', 'Failed', ({ status }) => status?.phase === 'Failed')
  expect(ended.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(137)
  expect(await first.log('ended')).toMatch(/^0 x+\n1 x+\n2 x+\n/)
  await first[Symbol.asyncDispose]()
  expect(listProcesses().filter(({ pid }) => findMarker(pid)?.includes(doomed.metadata.uid))).toEqual([])
  await rm(folder, { recursive: true })
})

test('a clean stop ends the Instances, and the next start runs them again without a pause', async () => {
  const folder = await makeFolder()
  using images = await serveImage(folder)
  const stage = await openStage({ folder, image: images.image })
  await stage.start()
  const created = await stage.createPod('web', {})
  await stage.waitForPod('web', 'ready', ({ status }) => status?.containerStatuses?.[0]?.ready === true)
  await stage.kubelet().stop({ keepRunning: false })
  expect(listProcesses().filter(({ pid }) => findMarker(pid)?.includes(created.metadata.uid))).toEqual([])
  await stage.start()
  const pod = await stage.waitForPod('web', 'ready again', ({ status }) => {
    const [container] = status?.containerStatuses ?? []
    return container?.ready === true && container.restartCount === 1
  })
  expect(pod.status?.containerStatuses?.[0]?.lastState?.terminated?.reason).toBe('Terminated')
  await stage[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('an agent that leaves does not wait for a pod that is ending, and the next one goes on with its end', async () => {
  const folder = await makeFolder()
  using images = await serveImage(folder)
  const stage = await openStage({ folder, image: images.image })
  const agent = await stage.start()
  const created = await stage.createPod('ending', {
    command: ['node', '/app/stubborn.mjs'],
    spec: { terminationGracePeriodSeconds: 20 },
  })
  const isThere = (): boolean =>
    listProcesses().some(({ pid }) => findMarker(pid)?.includes(created.metadata.uid))
  const says = (text: string) => async (): Promise<boolean> => (await stage.log('ending')).includes(text)
  await stage.waitForPod('ending', 'running', ({ status }) => status?.phase === 'Running')
  await waitFor(systemClock, 'its first line', says('ready'), { timeoutMs: 20_000 })
  await stage.registry.remove('pods', NAMESPACE, 'ending')
  await waitFor(systemClock, 'its answer to SIGTERM', says('ignored'), { timeoutMs: 20_000 })
  await agent.stop({ keepRunning: true })
  expect(isThere()).toBe(true)
  await stage.registry.remove('pods', NAMESPACE, 'ending', { gracePeriodSeconds: 1 })
  await stage.start()
  await stage.waitGone('ending')
  await waitFor(systemClock, 'its processes to be gone', () => !isThere(), { timeoutMs: 20_000 })
  await stage[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('after a restart of the machine every Instance counts as killed and runs again at once, however often it failed before', async () => {
  const folder = await makeFolder()
  using images = await serveImage(folder)
  const stage = await openStage({ folder, image: images.image })
  await stage.start()
  const created = await stage.createPod('web', {})
  await stage.waitForPod('web', 'ready', ({ status }) => status?.containerStatuses?.[0]?.ready === true)
  await stage.kubelet().stop({ keepRunning: true })
  for (const { pid } of listProcesses())
    if (findMarker(pid)?.includes(created.metadata.uid)) process.kill(pid, 'SIGKILL')
  const file = path.join(folder, 'kubelet', 'state', created.metadata.uid, 'pod.json')
  const record = JSON.parse(await readFile(file, 'utf8'))
  record.bootId = 'an earlier boot'
  // Ten minutes, with the periods of these tests.
  record.containers.main.backoffLevel = 12
  await writeFile(file, JSON.stringify(record))
  await stage.start()
  const pod = await stage.waitForPod('web', 'ready again', ({ status }) => {
    const [container] = status?.containerStatuses ?? []
    return container?.ready === true && container.restartCount === 1
  })
  const lost = { reason: 'ContainerStatusUnknown', exitCode: 137 }
  expect(pod.status?.containerStatuses?.[0]?.lastState?.terminated).toMatchObject(lost)
  await stage[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('processes with our marker that no record accounts for are ended at the start', async () => {
  const folder = await makeFolder()
  using images = await serveImage(folder)
  const stage = await openStage({ folder, image: images.image })
  const agent = await stage.start()
  const pod = await stage.createPod('web', { command: ['node', '/app/stubborn.mjs'] })
  await stage.waitForPod('web', 'running', ({ status }) => status?.phase === 'Running')
  await agent.stop({ keepRunning: true })
  await rm(path.join(folder, 'kubelet', 'state', pod.metadata.uid), { recursive: true })
  const strays = listProcesses().filter(({ pid }) => findMarker(pid)?.includes(pod.metadata.uid))
  expect(strays.length).toBeGreaterThan(0)
  await stage.start()
  await stage.waitForPod('web', 'running', ({ status }) => status?.phase === 'Running')
  for (const stray of strays) expect(isRunning(stray)).toBe(false)
  await stage[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test.runIf(process.getuid?.() === 0)(
  'an ordinary user gets the same, with the isolation its kernel allows',
  async () => {
    const folder = await makeFolder()
    using images = await serveImage(folder)
    const own = path.join(folder, 'own')
    await mkdir(own)
    await chown(own, ORDINARY_UID, ORDINARY_UID)
    await chmod(own, 0o700)
    const agent = startAgent(own, images.image, 'journey', ORDINARY_UID)
    const seen = JSON.parse(await firstLine(agent))
    if (agent.exitCode === null) await once(agent, 'exit')
    expect(seen).toMatchObject({ answer: { user: ORDINARY_UID }, phase: 'Succeeded' })
    expect(['user-namespace', 'process-group']).toContain(seen.mode)
    expect(listProcesses().filter(({ pid }) => findMarker(pid) !== undefined && String(pid) in seen)).toEqual(
      [],
    )
    await rm(folder, { recursive: true })
  },
)
