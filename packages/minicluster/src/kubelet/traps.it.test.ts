/** Applications that behave badly, each as a real process. */
import { readdirSync } from 'node:fs'
import path from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { measureTree } from './instance-folder.ts'
import { findMarker } from './proc.ts'
import { NAMESPACE, openStage, type Stage } from './testing.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
  await stage.start()
})
afterAll(() => stage[Symbol.asyncDispose]())

function processesOf(podUid: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => findMarker(pid)?.includes(podUid))
}

const probe = { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 }

test('an application that never listens is said to, with what it listens on', async () => {
  await stage.createPod('silent', {
    command: ['node', '/app/stubborn.mjs'],
    container: { ports: [{ containerPort: 8080 }], readinessProbe: probe },
    spec: { terminationGracePeriodSeconds: 1 },
  })
  const event = await stage.waitForEvent('silent', 'NotListening')
  expect(event.message).toMatch(/Nothing listens at \$PORT \(2[0-9]{4}\) or at the declared port 8080/)
  const unhealthy = await stage.waitForEvent('silent', 'Unhealthy')
  expect(unhealthy.message).toContain('it listens on no TCP port')
})

test('an application that listens at a wrong port never becomes ready and the event names that port', async () => {
  await stage.createPod('wrong-port', {
    container: {
      env: [{ name: 'FIXED_PORT', value: '18099' }],
      ports: [{ containerPort: 8080 }],
      readinessProbe: probe,
    },
  })
  const event = await stage.waitForEvent('wrong-port', 'NotListening')
  expect(event.message).toContain(':18099')
  expect(stage.registry.get('pods', NAMESPACE, 'wrong-port')?.status?.containerStatuses?.[0]?.ready).toBe(
    false,
  )
})

test('an application that crashes at start is restarted with growing pauses and shows its last exit', async () => {
  await stage.createPod('crash', { command: ['node', '-e', 'console.error("no luck"); process.exit(3)'] })
  const pod = await stage.waitForPod('crash', 'CrashLoopBackOff', ({ status }) => {
    const state = status?.containerStatuses?.[0]
    return state?.state?.waiting?.reason === 'CrashLoopBackOff' && state.restartCount >= 2
  })
  expect(pod.status?.phase).toBe('Running')
  expect(pod.status?.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({
    exitCode: 3,
    reason: 'Error',
  })
  expect(await stage.log('crash')).toBe('no luck\n')
  await stage.waitForEvent('crash', 'BackOff')
})

test('an application that ignores SIGTERM is killed after its grace period', async () => {
  const created = await stage.createPod('stubborn', {
    command: ['node', '/app/stubborn.mjs'],
    spec: { terminationGracePeriodSeconds: 1 },
  })
  await waitFor(
    systemClock,
    'its output',
    async () => (await stage.log('stubborn').catch(() => '')).includes('ready'),
    {
      timeoutMs: 20_000,
    },
  )
  await stage.registry.remove('pods', NAMESPACE, 'stubborn')
  await stage.waitGone('stubborn')
  expect(processesOf(created.metadata.uid)).toEqual([])
})

test('a second Instance that insists on the same port fails with an event that names the first', async () => {
  const container = { env: [{ name: 'FIXED_PORT', value: '18098' }], ports: [{ containerPort: 18098 }] }
  await stage.createPod('fixed-one', {
    container: { ...container, readinessProbe: { tcpSocket: { port: 18098 }, periodSeconds: 1 } },
  })
  const first = await stage.waitForPod(
    'fixed-one',
    'ready',
    ({ status }) => status?.containerStatuses?.[0]?.ready === true,
  )
  expect(JSON.parse(first.metadata.annotations?.['slipway/ports'] ?? '{}')).toEqual({ '18098': 18_098 })
  await stage.createPod('fixed-two', { container })
  const event = await stage.waitForEvent('fixed-two', 'PortInUse')
  expect(event.message).toContain('Port 18098 is held on all addresses by pod shop/fixed-one')
})

test('a daemon that leaves its session is ended with its container, and an event says so', async () => {
  const created = await stage.createPod('daemon', {
    command: ['node', '/app/daemon.mjs'],
    spec: { restartPolicy: 'Never' },
  })
  const pod = await stage.waitForPod('daemon', 'Succeeded', ({ status }) => status?.phase === 'Succeeded')
  expect(pod.status?.containerStatuses?.[0]?.state?.terminated?.reason).toBe('Completed')
  expect(processesOf(created.metadata.uid)).toEqual([])
  const event = await stage.waitForEvent('daemon', 'ProcessesLeft')
  expect(event.message).toContain('left 1 process behind')
})

test('an application that forks for ever is killed at its process limit, with every child', async () => {
  const created = await stage.createPod('forker', {
    command: ['node', '/app/forker.mjs'],
    annotations: { 'slipway/process-limit': '20' },
    spec: { restartPolicy: 'Never' },
  })
  const pod = await stage.waitForPod('forker', 'Failed', ({ status }) => status?.phase === 'Failed')
  const terminated = pod.status?.containerStatuses?.[0]?.state?.terminated
  expect(terminated).toMatchObject({ reason: 'TooManyProcesses', exitCode: 137 })
  expect(terminated?.message).toContain('20 are allowed')
  expect(processesOf(created.metadata.uid)).toEqual([])
})

test('an application that fills the disk is evicted', async () => {
  await stage.createPod('filler', {
    command: ['node', '/app/filler.mjs'],
    container: { resources: { limits: { 'ephemeral-storage': '8Mi' } } },
    spec: { terminationGracePeriodSeconds: 0 },
  })
  const pod = await stage.waitForPod('filler', 'Evicted', ({ status }) => status?.phase === 'Failed')
  expect(pod.status?.reason).toBe('Evicted')
  expect(pod.status?.message).toContain('exceeded its local ephemeral storage limit "8Mi"')
})

test('an application that takes too much memory is killed as OOMKilled', async () => {
  await stage.createPod('greedy', {
    command: ['node', '-e', 'globalThis.kept = Buffer.alloc(300e6, 1); setInterval(() => 1, 1000)'],
    container: { resources: { limits: { memory: '150Mi' } } },
    spec: { restartPolicy: 'Never' },
  })
  const pod = await stage.waitForPod('greedy', 'Failed', ({ status }) => status?.phase === 'Failed')
  expect(pod.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
    reason: 'OOMKilled',
    exitCode: 137,
  })
})

test('20 MB of output are kept whole, in order, as far as rotation allows, and the raw file is given back', async () => {
  await stage.createPod('printer', {
    command: ['node', '/app/printer.mjs', '110000'],
    spec: { restartPolicy: 'Never' },
  })
  await stage.waitForPod('printer', 'Succeeded', ({ status }) => status?.phase === 'Succeeded')
  const lines = (await stage.log('printer')).trimEnd().split('\n')
  expect(lines).toHaveLength(110_000)
  expect(lines.findIndex((line, index) => !line.startsWith(`${index} x`))).toBe(-1)
  const used = await measureTree(path.join(stage.folder, 'kubelet', 'state'), undefined, 10_000)
  expect(used.bytes).toBeLessThan(60e6)
})

test('a command that does not exist fails a job instead of hanging', async () => {
  await stage.createPod('typo', { command: ['nodde', 'server.mjs'], spec: { restartPolicy: 'Never' } })
  const pod = await stage.waitForPod('typo', 'Failed', ({ status }) => status?.phase === 'Failed')
  expect(pod.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
    exitCode: 128,
    reason: 'StartError',
  })
})

test('an Image that is not there waits in ImagePullBackOff with the reason', async () => {
  await stage.createPod('no-image', { container: { image: stage.image.replace('fixtures:1', 'absent:1') } })
  const pod = await stage.waitForPod(
    'no-image',
    'ImagePullBackOff',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ImagePullBackOff',
  )
  expect(pod.status?.containerStatuses?.[0]?.state?.waiting?.message).toContain('not found')
  expect(pod.status?.phase).toBe('Pending')
  await stage.registry.remove('pods', NAMESPACE, 'no-image')
  await stage.waitGone('no-image')
})

test('a mount outside /app is refused by an event', async () => {
  await stage.createPod('mount', {
    container: { volumeMounts: [{ name: 'data', mountPath: '/var/lib/data' }] },
    spec: { volumes: [{ name: 'data', emptyDir: {} }] },
  })
  const event = await stage.waitForEvent('mount', 'FailedMount')
  expect(event.message).toContain('mounts only below /app')
})
