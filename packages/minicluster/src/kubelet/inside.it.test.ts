/** What a container sees and what can be done with it: environment, volumes, hooks, probes, exec, attach, logs, usage. */
import { once } from 'node:events'
import { PassThrough } from 'node:stream'

import { systemClock, waitFor } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { ExecStreams } from '../model.ts'
import { NAMESPACE, NODE, openStage, readAll, type Stage } from './testing.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
  await stage.start()
})
afterAll(() => stage[Symbol.asyncDispose]())

const reference = (pod: string) => ({ namespace: NAMESPACE, pod, container: 'main' })
const shell = (script: string): readonly string[] => ['sh', '-c', script]
const stay = 'trap "exit 0" TERM; while :; do sleep 0.1; done'

async function waitForLog(pod: string, text: string): Promise<string> {
  return waitFor(
    systemClock,
    `"${text}" in the log of ${pod}`,
    async () => {
      const log = await stage.log(pod).catch(() => '')
      return log.includes(text) && log
    },
    { timeoutMs: 20_000 },
  )
}

function streams(options: { stdin?: string; terminal?: boolean } = {}): ExecStreams & {
  readonly output: Promise<string>
  readonly errors: Promise<string>
  readonly input: PassThrough
  readonly controller: AbortController
} {
  const controller = new AbortController()
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const input = new PassThrough()
  if (options.stdin !== undefined) input.end(options.stdin)
  return {
    terminal: options.terminal ?? false,
    stdin: input,
    stdout,
    stderr,
    onResize: (listener) => listener({ columns: 91, rows: 17 }),
    signal: controller.signal,
    output: readAll(stdout),
    errors: readAll(stderr),
    input,
    controller,
  }
}

test('environment, references, files of ConfigMaps and Secrets, and paths below /app reach the application', async () => {
  const { registry } = stage
  const meta = (name: string) => ({ name, namespace: NAMESPACE })
  await registry.create(
    'configmaps',
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: meta('settings'),
      data: { COLOUR: 'blue', 'app.conf': 'one' },
    },
    'test',
  )
  await registry.create(
    'secrets',
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: meta('keys'),
      data: { token: Buffer.from('s3cret').toString('base64') },
    },
    'test',
  )
  await stage.createPod('seen', {
    command: shell(
      'env | sort; cat /app/config/app.conf; cat /app/keys/token; echo; echo "in $PWD"; echo more > data/file; id -u; ' +
        stay,
    ),
    container: {
      workingDir: '/app',
      envFrom: [{ configMapRef: { name: 'settings' }, prefix: 'X_' }],
      env: [
        { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
        { name: 'COMBINED', value: '$(X_COLOUR)-$(TOKEN)-$$(X)-$(absent)' },
        { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'CORES', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
        { name: 'FILE', value: '/app/data/file' },
      ],
      resources: { limits: { cpu: '1500m' } },
      volumeMounts: [
        { name: 'config', mountPath: '/app/config' },
        { name: 'keys', mountPath: '/app/keys', readOnly: true },
        { name: 'data', mountPath: '/app/data' },
      ],
    },
    spec: {
      volumes: [
        { name: 'config', configMap: { name: 'settings' } },
        { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
        { name: 'data', emptyDir: {} },
      ],
    },
  })
  const log = await waitForLog('seen', 'in /')
  expect(log).toContain('COMBINED=blue-s3cret-$(X)-$(absent)')
  expect(log).toContain('NAME=seen')
  expect(log).toContain('CORES=1500')
  expect(log).toMatch(/^FILE=\/.+\/app\/data\/file$/m)
  expect(log).toMatch(/^GREETING=from-image$/m)
  expect(log).not.toContain('/opt/base/bin')
  expect(log).toMatch(/^PORT=2[0-9]{4}$/m)
  expect(log).toMatch(/^POD_IP=127\./m)
  expect(log).toContain('ones3cret')

  const settings = registry.get('configmaps', NAMESPACE, 'settings')
  await registry.update('configmaps', { ...settings, data: { 'app.conf': 'two' } }, 'test')
  await waitFor(
    systemClock,
    'the new file',
    async () => {
      const run = streams({ stdin: '' })
      await stage.kubelet().exec(reference('seen'), ['cat', '/app/config/app.conf'], run)
      return (await run.output) === 'two'
    },
    { timeoutMs: 20_000 },
  )
})

test('an application may open /dev/stdout anew, and may only reach its own files', async () => {
  await stage.createPod('reopen', {
    command: shell(
      `echo again >> /dev/stdout; ls ${stage.folder}/kubelet/state 2>&1 | head -1; ls ${stage.folder}/kubelet/run 2>&1 | head -1; ${stay}`,
    ),
  })
  const log = await waitForLog('reopen', 'again')
  expect(log).toContain('again')
  if (process.getuid?.() === 0) {
    const whole = await waitForLog('reopen', 'kubelet/run')
    expect(whole.match(/Permission denied/g)).toHaveLength(2)
  }
})

test('a container whose Secret is missing waits for it and starts when it comes', async () => {
  await stage.createPod('later', {
    command: shell(stay),
    container: { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'late', key: 'a' } } }] },
  })
  const waiting = await stage.waitForPod(
    'later',
    'waiting',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError',
  )
  expect(waiting.status?.containerStatuses?.[0]?.state?.waiting?.message).toBe('secret "late" not found')
  await stage.registry.create(
    'secrets',
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'late', namespace: NAMESPACE },
      data: { a: 'YQ==' },
    },
    'test',
  )
  await stage.waitForPod('later', 'running', ({ status }) => status?.phase === 'Running')
})

test('exec runs as the Instance, keeps streams apart, forwards input and returns the exit code', async () => {
  await stage.createPod('box', { command: shell(stay) })
  await stage.waitForPod('box', 'running', ({ status }) => status?.phase === 'Running')
  const run = streams({ stdin: 'hello' })
  const result = await stage.kubelet().exec(reference('box'), shell('cat; echo oops >&2; exit 7'), run)
  expect([result.exitCode, await run.output, await run.errors]).toEqual([7, 'hello', 'oops\n'])
  const detached = streams()
  const left = await stage.kubelet().exec(reference('box'), shell('sleep 300 & echo gone'), detached)
  expect([left.exitCode, await detached.output]).toEqual([0, 'gone\n'])
  await expect(stage.kubelet().exec(reference('box'), ['no-such-program'], streams())).rejects.toThrow(
    'executable file not found in $PATH',
  )
})

test('exec with a terminal has its size, echoes input and ends when the client goes away', async () => {
  const run = streams({ terminal: true })
  const done = stage
    .kubelet()
    .exec(reference('box'), shell('stty size; read line; echo "got $line"; exit 4'), run)
  run.input.write('abc\r')
  expect(await done).toEqual({ exitCode: 4 })
  const output = await run.output
  expect(output).toContain('17 91')
  expect(output).toContain('got abc')
  const endless = streams({ terminal: true })
  const ended = stage.kubelet().exec(reference('box'), ['sleep', '300'], endless)
  endless.controller.abort()
  expect((await ended).exitCode).not.toBe(0)
})

test('attach follows the output from now on and feeds standard input', async () => {
  await stage.createPod('echo', {
    command: shell('while read line; do echo "heard $line"; done'),
    container: { stdin: true },
  })
  await stage.waitForPod('echo', 'running', ({ status }) => status?.phase === 'Running')
  const run = streams()
  const done = stage.kubelet().attach(reference('echo'), run)
  run.input.write('one\n')
  await waitForLog('echo', 'heard one')
  run.controller.abort()
  await done
  expect(await run.output).toContain('heard one')
})

test('logs: follow, tail, limit, timestamps, previous', async () => {
  const { kubelet } = stage
  await stage.createPod('talk', { command: shell('echo a; echo b; printf c; sleep 1; exit 1') })
  const follow = await kubelet()
    .logs(reference('talk'), {})
    .catch(() => undefined)
  follow?.destroy()
  await waitForLog('talk', 'b')
  const whole = readAll(await kubelet().logs(reference('talk'), { follow: true }))
  expect(await whole).toBe('a\nb\nc\n')
  await stage.waitForPod(
    'talk',
    'restarted',
    ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) > 0,
  )
  const previous = async (options: object) =>
    readAll(await kubelet().logs(reference('talk'), { ...options, previous: true }))
  expect(await previous({ tailLines: 2 })).toBe('b\nc\n')
  expect(await previous({ limitBytes: 3 })).toBe('a\nb')
  expect(await previous({ timestamps: true, tailLines: 1 })).toMatch(/^[0-9]{4}-.*\.[0-9]{9}Z c\n$/)
  await expect(kubelet().logs(reference('box'), { previous: true })).rejects.toThrow(
    'previous terminated container "main" in pod "box" not found',
  )
})

test('init containers run in order before the others; a sidecar starts before and ends after them', async () => {
  const container = (name: string, script: string, more: object = {}) => ({
    name,
    image: stage.image,
    command: shell(script),
    ...more,
  })
  await stage.createPod('ordered', {
    command: shell('cat shared/order; test -e shared/side && echo with side'),
    container: { volumeMounts: [{ name: 's', mountPath: '/app/shared' }] },
    spec: {
      restartPolicy: 'Never',
      volumes: [{ name: 's', emptyDir: {} }],
      initContainers: [
        container('first', 'echo first >> shared/order', {
          volumeMounts: [{ name: 's', mountPath: '/app/shared' }],
        }),
        container('side', `touch shared/side; ${stay}`, {
          restartPolicy: 'Always',
          startupProbe: { exec: { command: shell('test -e shared/side') }, periodSeconds: 1 },
          volumeMounts: [{ name: 's', mountPath: '/app/shared' }],
        }),
        container('second', 'echo second >> shared/order', {
          volumeMounts: [{ name: 's', mountPath: '/app/shared' }],
        }),
      ],
    },
  })
  const pod = await stage.waitForPod('ordered', 'Succeeded', ({ status }) => status?.phase === 'Succeeded')
  expect(await stage.log('ordered')).toBe('first\nsecond\nwith side\n')
  expect(pod.status?.initContainerStatuses?.map(({ state }) => state?.terminated?.exitCode)).toEqual([
    0, 0, 0,
  ])
  expect(pod.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
    status: 'False',
    reason: 'PodCompleted',
  })
})

test('a failing liveness probe restarts the container; hooks run around its life', async () => {
  await stage.createPod('hooked', {
    command: shell(`while :; do sleep 0.1; done`),
    container: {
      livenessProbe: { exec: { command: shell('test ! -e dead') }, periodSeconds: 1, failureThreshold: 1 },
      lifecycle: {
        postStart: { exec: { command: shell('echo begun > begun') } },
        preStop: { exec: { command: shell('test -e begun') } },
      },
    },
    spec: { terminationGracePeriodSeconds: 1 },
  })
  await stage.waitForPod('hooked', 'ready', ({ status }) => status?.containerStatuses?.[0]?.ready === true)
  await stage.kubelet().exec(reference('hooked'), ['touch', '/app/dead'], streams({ stdin: '' }))
  const pod = await stage.waitForPod(
    'hooked',
    'restarted',
    ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1,
  )
  expect(pod.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(143)
  await stage.waitForEvent('hooked', 'Unhealthy')
  expect(stage.registry.list('events', NAMESPACE).some(({ reason }) => reason === 'FailedPreStopHook')).toBe(
    false,
  )
})

test('a build runs in the isolation of this machine and says which', async () => {
  await stage.createPod('build', {
    command: shell('echo "pid $$$$"; touch /tmp/own; ls /proc | grep -c "^[0-9]"; cd "$PWD" && echo here'),
    annotations: { 'slipway/isolation': 'build' },
    spec: { restartPolicy: 'Never' },
  })
  const pod = await stage.waitForPod('build', 'over', ({ status }) => status?.phase === 'Succeeded')
  const mode = pod.metadata.annotations?.['slipway/isolation-mode']
  expect(['pid-namespace', 'user-namespace', 'process-group']).toContain(mode)
  const [first = '', count = '', place] = (await stage.log('build')).trim().split('\n')
  expect(place).toBe('here')
  if (mode === 'process-group') return
  expect(Number(first.replace('pid ', ''))).toBeLessThan(10)
  expect(Number(count)).toBeLessThan(10)
})

test('what prepares a build with the rights of root is none of the pod’s programs', async () => {
  await stage.createPod('build-env', {
    command: shell('echo "$PATH" | grep -c /app || true; env | grep -c "^LD_PRELOAD" || true'),
    container: {
      env: [
        { name: 'LD_PRELOAD', value: '/app/none.so' },
        { name: 'PATH', value: '/app/bin' },
      ],
    },
    annotations: { 'slipway/isolation': 'build' },
    spec: { restartPolicy: 'Never' },
  })
  const pod = await stage.waitForPod('build-env', 'over', ({ status }) => status?.phase === 'Succeeded')
  if (pod.metadata.annotations?.['slipway/isolation-mode'] !== 'pid-namespace') return
  expect((await stage.log('build-env')).trim().split('\n')).toEqual(['0', '0'])
})

test('a build that is cancelled ends at once with everything it started', async () => {
  const created = await stage.createPod('cancelled', {
    command: shell('trap "" TERM; sleep 300 & sleep 300'),
    annotations: { 'slipway/isolation': 'build' },
    spec: { restartPolicy: 'Never', activeDeadlineSeconds: 2, terminationGracePeriodSeconds: 1 },
  })
  const pod = await stage.waitForPod('cancelled', 'Failed', ({ status }) => status?.phase === 'Failed')
  expect(pod.status).toMatchObject({ reason: 'DeadlineExceeded' })
  expect(created.metadata.uid).toBe(pod.metadata.uid)
})

test('usage, port-forward and the node are reported', async () => {
  await stage.createPod('web', {
    container: {
      ports: [{ containerPort: 8080 }],
      readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
    },
  })
  await stage.waitForPod('web', 'ready', ({ status }) => status?.containerStatuses?.[0]?.ready === true)
  const socket = await stage.kubelet().connect(NAMESPACE, 'web', 8080)
  socket.write('GET / HTTP/1.0\r\n\r\n')
  const [chunk] = await once(socket, 'data')
  socket.destroy()
  expect(String(chunk)).toContain('200 OK')
  const usage = (await stage.kubelet().podUsage()).find(({ pod }) => pod === 'web')
  expect(usage?.containers[0]?.memoryBytes).toBeGreaterThan(5e6)
  expect((await stage.kubelet().nodeUsage()).memoryBytes).toBeGreaterThan(1e8)
  const node = stage.registry.get('nodes', undefined, NODE)
  expect(node?.metadata.labels).toMatchObject({
    'slipway/runtime': 'process',
    'kubernetes.io/hostname': NODE,
  })
  expect(node?.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
  expect(stage.registry.get('leases', 'kube-node-lease', NODE)?.spec?.holderIdentity).toBe(NODE)
})
