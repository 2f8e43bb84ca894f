import { tmpdir } from 'node:os'

import { systemClock } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { runInside } from './run-inside.ts'
import { openStage, NAMESPACE, type Stage } from './testing.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
  await stage.start()
})
afterAll(() => stage[Symbol.asyncDispose]())

test('a pod with a readiness probe becomes Ready, serves at its own port and leaves nothing when it is deleted', async () => {
  await stage.createPod('web', {
    container: {
      ports: [{ containerPort: 8080 }],
      readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
    },
  })
  const pod = await stage.waitForPod('web', 'Ready', ({ status }) =>
    (status?.conditions ?? []).some(({ type, status: value }) => type === 'Ready' && value === 'True'),
  )
  const port = JSON.parse(pod.metadata.annotations?.['slipway/ports'] ?? '{}')['8080']
  const answer = await (await fetch(`http://${pod.status?.podIP}:${port}/`)).json()
  expect(answer).toMatchObject({ port: String(port), greeting: 'from-image' })
  expect(await stage.log('web')).toBe('listening\n')
  await stage.registry.remove('pods', NAMESPACE, 'web')
  await stage.waitGone('web')
})

test('a pod that is deleted while its postStart hook hangs ends within its grace period', async () => {
  await stage.createPod('hanging', {
    container: { lifecycle: { postStart: { exec: { command: ['sleep', '1000'] } } } },
    spec: { terminationGracePeriodSeconds: 1 },
  })
  await stage.waitForEvent('hanging', 'Started')
  await stage.registry.remove('pods', NAMESPACE, 'hanging')
  await stage.waitGone('hanging')
})

test('a command that is called off before it begins ends at once', async () => {
  const { exitCode, timedOut } = await runInside({
    inside: {
      folder: tmpdir(),
      applicationFolder: tmpdir(),
      hostUid: undefined,
      environment: { PATH: '/usr/bin:/bin' },
    },
    command: ['sleep', '1000'],
    clock: systemClock,
    timeoutMs: 600_000,
    signal: AbortSignal.abort(),
  })
  expect({ exitCode, timedOut }).toEqual({ exitCode: 137, timedOut: false })
})

test('the agent stops while a postStart hook hangs, and takes hook and application along', async () => {
  await stage.createPod('lingering', {
    container: { lifecycle: { postStart: { exec: { command: ['sleep', '1000'] } } } },
    spec: { terminationGracePeriodSeconds: 1 },
  })
  await stage.waitForEvent('lingering', 'Started')
  await stage.kubelet()[Symbol.asyncDispose]()
})
