import { expect, test } from 'vitest'

import { listenersText, portsMap, servedPort } from './addresses.ts'
import { createStamp, formatOutput, parseCriLine } from './cri.ts'
import { expandReferences, rewriteArgument, rewriteVariable } from './environment.ts'
import { credentialsIn } from './images.ts'
import {
  newContainerRecord,
  PERIODS,
  type ContainerRecord,
  type Exit,
  type PodRecord,
  type PodSpec,
} from './model.ts'
import { planPod, restartDelayMs, type PodStep } from './plan.ts'
import { parseListeners, parsePs, parseStat, type Listener } from './proc.ts'
import { findApplication } from './process-table.ts'
import { countProbe } from './probes.ts'
import { podStatus, qosClassOf } from './status.ts'
import { rateOf } from './usage.ts'
import { parseStatus } from './wrapper.ts'

const T0 = Date.parse('2026-01-01T00:00:00Z')
const at = (ms: number): string => new Date(T0 + ms).toISOString()

test('a line of /proc/PID/stat is read also when the command holds spaces and parentheses', () => {
  const text = '42 (a) b (c)) S 1 42 42 0 -1 0 0 0 0 0 5 6 7 8 20 0 1 0 1234 0 99 0'
  expect(parseStat(text)).toEqual({
    pid: 42,
    state: 'S',
    parentPid: 1,
    groupId: 42,
    sessionId: 42,
    cpuTicks: 26,
    startTicks: 1234,
    rssPages: 99,
  })
  expect(parseStat('nonsense')).toBeUndefined()
})

test('where there is no /proc the output of ps tells the same', () => {
  const [found] = parsePs('  42     1    42 Ss   4000 Sat Nov 21 15:08:07 2026\nnonsense\n')
  expect(found).toMatchObject({
    pid: 42,
    parentPid: 1,
    groupId: 42,
    sessionId: 42,
    state: 'S',
    rssPages: 1_000,
  })
  expect(found?.startTicks).toBeGreaterThan(0)
})

test('listening sockets are read with their addresses', () => {
  const line = (address: string, state: string, inode: string): string =>
    `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1`
  const text = [
    'head',
    line('0100007F:1F90', '0A', '11'),
    line('00000000:0050', '0A', '12'),
    line('0100007F:0051', '01', '13'),
  ]
  expect(parseListeners(text.join('\n'))).toEqual([
    { port: 8080, everywhere: false, address: '127.0.0.1', inode: '11' },
    { port: 80, everywhere: true, address: '0.0.0.0', inode: '12' },
  ])
  const six = [
    'head',
    line('0000000000000000FFFF00000100007F:0050', '0A', '1'),
    line('00000000000000000000000000000000:0051', '0A', '2'),
  ]
  expect(parseListeners(six.join('\n')).map(({ address, everywhere }) => [address, everywhere])).toEqual([
    ['127.0.0.1', false],
    ['[::]', true],
  ])
})

const listener = (port: number): Listener => ({ port, everywhere: true, address: '0.0.0.0', inode: '1' })

const portCases: [
  when: string,
  wanted: number,
  declared: number[],
  listening: number[],
  expected: number | undefined,
][] = [
  ['PORT wins for the first declared port', 8080, [8080, 9090], [20_001, 8080], 20_001],
  ['the declared port when PORT is ignored', 8080, [8080], [8080], 8080],
  ['a second port is never PORT', 9090, [8080, 9090], [20_001], undefined],
  ['a second port serves at itself', 9090, [8080, 9090], [20_001, 9090], 9090],
  ['without declared ports any port may be PORT', 3000, [], [20_001], 20_001],
  ['nothing listens', 8080, [8080], [], undefined],
]
test.each(portCases)('served port: %s', (_, wanted, declared, listening, expected) => {
  expect(servedPort({ wanted, declared, port: 20_001, listeners: listening.map(listener) })).toBe(expected)
})

test('the map of ports expects PORT for the first one until something listens', () => {
  expect(portsMap([8080, 9090], 20_001, [])).toEqual({ '8080': 20_001, '9090': 9090 })
  expect(portsMap([8080], 20_001, [listener(8080)])).toEqual({ '8080': 8080 })
  expect(listenersText([])).toBe('it listens on no TCP port')
})

test('references expand as Kubernetes expands them', () => {
  const values = { A: '1', B: '$(A)' }
  expect(expandReferences('$(A) $(B) $$(A) $$ $(C) $() $A', values)).toBe('1 $(A) $(A) $ $(C) $() $A')
})

const rewriteCases: [argument: string, expected: string][] = [
  ['/app/server.js', '/i/server.js'],
  ['/app', '/i'],
  ['--config=/app/a.conf', '--config=/i/a.conf'],
  ['-cp', '-cp'],
  ['/app/lib/*:/app/classes', '/i/lib/*:/i/classes'],
  ['cd /app && exec node "/app/x"', 'cd /i && exec node "/i/x"'],
  ['/application/x', '/application/x'],
  ['/srv/app/x', '/srv/app/x'],
  ['http://host/app/x', 'http://host/app/x'],
]
test.each(rewriteCases)('argument %s', (argument, expected) =>
  expect(rewriteArgument(argument, '/i')).toBe(expected),
)
test('variables are rewritten in lists only', () => {
  expect(rewriteVariable('/app/bin:/usr/bin:/app', '/i')).toBe('/i/bin:/usr/bin:/i')
  expect(rewriteVariable('say "/app/x"', '/i')).toBe('say "/app/x"')
})

test('output becomes CRI lines; long ones in parts, unfinished ones only at the end', () => {
  const stamp = createStamp(() => new Date(T0))
  const first = formatOutput(Buffer.from('a\n\nrest'), 'stdout', stamp, false)
  expect(first.lines.toString()).toBe(
    '2026-01-01T00:00:00.000000000Z stdout F a\n2026-01-01T00:00:00.000000001Z stdout F \n',
  )
  expect(first.consumedBytes).toBe(3)
  expect(formatOutput(Buffer.from('rest'), 'stderr', stamp, true).lines.toString()).toContain(
    'stderr F rest\n',
  )
  const long = formatOutput(Buffer.from(`${'x'.repeat(40_000)}\n`), 'stdout', stamp, false)
  const lines = long.lines
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => parseCriLine(Buffer.from(line)))
  expect(lines.map((line) => [line?.full, line?.text.length])).toEqual([
    [false, 16_384],
    [false, 16_384],
    [true, 7_232],
  ])
  expect(parseCriLine(Buffer.from('no log line'))).toBeUndefined()
})

test('a status file tells wrapper and exit; without an exit line there is none', () => {
  const pid = 'pid 42 (sh) S 1 42 42 0 -1 0 0 0 0 0 5 6 7 8 20 0 1 0 1234 0 99 0\n'
  expect(parseStatus(`${pid}exit 3\n`)).toEqual({ wrapper: { pid: 42, startTicks: 1234 }, exitCode: 3 })
  expect(parseStatus(pid)).toEqual({ wrapper: { pid: 42, startTicks: 1234 } })
  expect(parseStatus('')).toEqual({})
})

test('the application is the oldest child, as deep as its isolation puts it', () => {
  const info = (pid: number, parentPid: number) => ({
    pid,
    parentPid,
    groupId: 1,
    sessionId: 1,
    state: 'S',
    startTicks: pid,
    cpuTicks: 0,
    rssPages: 0,
  })
  const members = [info(10, 1), info(11, 10), info(12, 10), info(13, 11), info(14, 13)]
  expect(findApplication(members, 10, 0)).toBe(11)
  expect(findApplication(members, 10, 2)).toBe(14)
  expect(findApplication(members, 14, 0)).toBeUndefined()
})

test('probes count in a row', () => {
  const probe = { successThreshold: 2, failureThreshold: 2 }
  let count = countProbe({ successes: 0, failures: 0, healthy: undefined }, true, probe)
  expect(count.healthy).toBeUndefined()
  count = countProbe(count, true, probe)
  expect(count.healthy).toBe(true)
  count = countProbe(count, false, probe)
  expect(count.healthy).toBe(true)
  expect(countProbe(count, false, probe).healthy).toBe(false)
})

test('pull credentials are found by host, whatever form they have', () => {
  const auth = Buffer.from('robot:pass:word').toString('base64')
  const config = {
    auths: { 'https://r.example:5000/v2/': { auth }, other: { username: 'a', password: 'b' } },
  }
  expect(credentialsIn(config, 'r.example:5000')).toEqual([{ username: 'robot', password: 'pass:word' }])
  expect(credentialsIn(config, 'other')).toEqual([{ username: 'a', password: 'b' }])
  expect(credentialsIn('x', 'other')).toEqual([])
})

test('CPU is the rate over at least ten seconds where there are that many', () => {
  expect(
    rateOf([
      { atMs: 0, ticks: 0 },
      { atMs: 5_000, ticks: 400 },
      { atMs: 15_000, ticks: 500 },
    ]),
  ).toBeCloseTo(0.1)
  expect(rateOf([{ atMs: 0, ticks: 0 }])).toBe(0)
})

const exit = (exitCode: number, ranMs = 0): Exit => ({
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  startedAt: at(0),
  finishedAt: at(ranMs),
  containerId: 'process://x',
})
const spec: PodSpec = { containers: [{ name: 'main' }] }

function recordOf(containers: readonly ContainerRecord[], more: Partial<PodRecord> = {}): PodRecord {
  return {
    uid: 'u',
    namespace: 'n',
    name: 'p',
    bootId: 'b',
    podIp: '127.16.0.1',
    startTime: at(0),
    isolation: 'none',
    containers: Object.fromEntries(containers.map((container) => [container.name, container])),
    ...more,
  }
}
const state = (
  name: string,
  kind: ContainerRecord['kind'],
  more: Partial<ContainerRecord> = {},
): ContainerRecord => ({
  ...newContainerRecord(name, kind),
  ...more,
})
const running = { phase: 'running' } as const
const exited = (exitCode: number, more: Partial<ContainerRecord> = {}): Partial<ContainerRecord> => ({
  phase: 'exited',
  exit: exit(exitCode),
  ...more,
})
const withInit: PodSpec = {
  initContainers: [{ name: 'init' }, { name: 'side', restartPolicy: 'Always' }],
  containers: [{ name: 'main' }],
}

type Case = {
  readonly when: string
  readonly spec?: PodSpec
  readonly containers: readonly ContainerRecord[]
  readonly record?: Partial<PodRecord>
  readonly ending?: boolean
  readonly started?: readonly string[]
  readonly nowMs?: number
  readonly expected: readonly PodStep[]
}
const cases: readonly Case[] = [
  {
    when: 'a new pod starts its container',
    containers: [state('main', 'main')],
    expected: [{ kind: 'start', container: 'main' }],
  },
  { when: 'a running pod needs nothing', containers: [state('main', 'main', running)], expected: [] },
  {
    when: 'init containers come first',
    spec: withInit,
    containers: [state('init', 'init'), state('side', 'sidecar'), state('main', 'main')],
    expected: [{ kind: 'start', container: 'init' }],
  },
  {
    when: 'a sidecar comes after the init container before it',
    spec: withInit,
    containers: [state('init', 'init', exited(0)), state('side', 'sidecar'), state('main', 'main')],
    expected: [{ kind: 'start', container: 'side' }],
  },
  {
    when: 'main waits until the sidecar has started',
    spec: withInit,
    containers: [state('init', 'init', exited(0)), state('side', 'sidecar', running), state('main', 'main')],
    expected: [],
  },
  {
    when: 'main starts when the sidecar has',
    spec: withInit,
    containers: [state('init', 'init', exited(0)), state('side', 'sidecar', running), state('main', 'main')],
    started: ['side'],
    expected: [{ kind: 'start', container: 'main' }],
  },
  {
    when: 'sidecars end when the main ones are done',
    spec: { ...withInit, restartPolicy: 'Never' },
    containers: [
      state('init', 'init', exited(0)),
      state('side', 'sidecar', running),
      state('main', 'main', exited(0)),
    ],
    expected: [{ kind: 'stop', container: 'side' }],
  },
  {
    when: 'a failed init container ends a pod that never restarts',
    spec: { ...withInit, restartPolicy: 'Never' },
    containers: [state('init', 'init', exited(2)), state('side', 'sidecar'), state('main', 'main')],
    expected: [{ kind: 'finished', succeeded: false }],
  },
  {
    when: 'the first restart waits for nothing',
    containers: [state('main', 'main', exited(1))],
    expected: [{ kind: 'start', container: 'main' }],
  },
  {
    when: 'the second restart waits 10 s',
    containers: [state('main', 'main', exited(1, { backoffLevel: 1 }))],
    expected: [{ kind: 'wake', atMs: T0 + 10_000 }],
  },
  {
    when: 'exactly after the pause it starts',
    containers: [state('main', 'main', exited(1, { backoffLevel: 1 }))],
    nowMs: 10_000,
    expected: [{ kind: 'start', container: 'main' }],
  },
  {
    when: 'OnFailure leaves success alone',
    spec: { ...spec, restartPolicy: 'OnFailure' },
    containers: [state('main', 'main', exited(0))],
    expected: [{ kind: 'finished', succeeded: true }],
  },
  {
    when: 'Never reports failure',
    spec: { ...spec, restartPolicy: 'Never' },
    containers: [state('main', 'main', exited(1))],
    expected: [{ kind: 'finished', succeeded: false }],
  },
  {
    when: 'a deadline fails the pod',
    spec: { ...spec, activeDeadlineSeconds: 5 },
    containers: [state('main', 'main', running)],
    nowMs: 5_000,
    expected: [
      {
        kind: 'fail',
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      },
    ],
  },
  {
    when: 'before the deadline it is waited for',
    spec: { ...spec, activeDeadlineSeconds: 5 },
    containers: [state('main', 'main', running)],
    nowMs: 4_999,
    expected: [{ kind: 'wake', atMs: T0 + 5_000 }],
  },
  {
    when: 'an ending pod stops the main ones before the sidecars',
    spec: withInit,
    containers: [state('side', 'sidecar', running), state('main', 'main', running)],
    ending: true,
    expected: [{ kind: 'stop', container: 'main' }],
  },
  {
    when: 'an ended pod is finished',
    containers: [state('main', 'main', exited(0))],
    ending: true,
    expected: [{ kind: 'finished', succeeded: false }],
  },
  {
    when: 'an evicted pod stops',
    containers: [state('main', 'main', running)],
    record: { failed: { reason: 'Evicted', message: '' } },
    expected: [{ kind: 'stop', container: 'main' }],
  },
  {
    when: 'a container that could not be made waits',
    containers: [state('main', 'main', { setupFailures: 1, setupNotBefore: at(9_000) })],
    expected: [{ kind: 'wake', atMs: T0 + 9_000 }],
  },
]
test.each(cases)('plan: $when', (given) => {
  const steps = planPod({
    spec: given.spec ?? spec,
    record: recordOf(given.containers, given.record),
    ending: given.ending ?? false,
    startedContainers: new Set(given.started ?? []),
    nowMs: T0 + (given.nowMs ?? 0),
    periods: PERIODS,
  })
  expect(steps).toEqual(given.expected)
})

test('pauses double to five minutes and start over after a long run', () => {
  const delay = (backoffLevel: number, ranMs = 0): number =>
    restartDelayMs(state('main', 'main', { phase: 'exited', exit: exit(1, ranMs), backoffLevel }), PERIODS)
  expect([0, 1, 2, 3, 5, 6, 30].map((level) => delay(level))).toEqual([
    0, 10_000, 20_000, 40_000, 160_000, 300_000, 300_000,
  ])
  expect(delay(6, 600_000)).toBe(0)
})

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: at(0) },
  spec,
}
function statusOf(container: ContainerRecord, more: { ready?: boolean; finished?: boolean } = {}) {
  const names = new Set(more.ready === true ? [container.name] : [])
  return podStatus({
    pod,
    record: recordOf([container]),
    agentId: 'a',
    ready: names,
    started: names,
    finished: more.finished ?? false,
    now: new Date(T0),
    periods: PERIODS,
  })
}

test('status of a pod that is being made, runs, waits in back-off, and has ended', () => {
  const made = statusOf(state('main', 'main'))
  expect(made.phase).toBe('Pending')
  expect(made.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'ContainerCreating' } })
  expect(statusOf(state('main', 'main', { phase: 'starting' })).phase).toBe('Pending')
  const ready = statusOf(state('main', 'main', { phase: 'running', startedAt: at(0) }), { ready: true })
  expect(ready).toMatchObject({ phase: 'Running', podIP: '127.16.0.1', qosClass: 'BestEffort' })
  expect(ready.conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual([
    'PodReadyToStartContainers=True',
    'Initialized=True',
    'Ready=True',
    'ContainersReady=True',
    'PodScheduled=True',
  ])
  const crashed = statusOf(state('main', 'main', exited(139, { backoffLevel: 2, attempt: 2 })))
  expect(crashed.containerStatuses?.[0]).toMatchObject({
    restartCount: 2,
    state: {
      waiting: {
        reason: 'CrashLoopBackOff',
        message: 'back-off 20s restarting failed container=main pod=p_n(u)',
      },
    },
    lastState: { terminated: { exitCode: 139, signal: 11 } },
  })
  const done = statusOf(state('main', 'main', exited(0)), { finished: true })
  expect(done.phase).toBe('Succeeded')
})

test('the class of service follows requests and limits', () => {
  const of = (resources: object): string =>
    qosClassOf({ ...pod, spec: { containers: [{ name: 'main', resources }] } })
  expect(of({})).toBe('BestEffort')
  expect(of({ requests: { cpu: '1' } })).toBe('Burstable')
  expect(of({ limits: { cpu: '1', memory: '1Gi' } })).toBe('Guaranteed')
  expect(of({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } })).toBe('Burstable')
})
