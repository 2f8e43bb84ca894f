/*
 * A release and a rollback of the sample application, as a person would ask for them through the API, beside what Kubernetes
 * alone would take: the same Deployment scaled from nothing to as many Instances, on the same cluster in the same run. What a
 * release takes longer than that is what its gates and its moving of traffic cost.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { must, systemClock } from '@slipway/kit'
import { type Kube, kubeClient, parseKubeconfig } from '@slipway/kube'
import { buildImage, clientSink, registryClient } from '@slipway/oci'

import { type Call, signIn } from './api.ts'
import { figure, median, publish } from './report.ts'
import { type Stack, startStack } from './stack.ts'

const ROUNDS = Number(process.argv[2] ?? 5)
const INSTANCES = 4
const DEADLINE_MS = 60_000
/** Answers of one version in a row, each on a connection of its own, that count as "everybody sees it". */
const ANSWERS_IN_A_ROW = 12
const sample = fileURLToPath(new URL('../examples/node-web', import.meta.url))

type Workload = { readonly id: string; readonly host: string; readonly namespace: string }

async function makeWorkload(call: Call): Promise<Workload> {
  const make = async (path: string, body: unknown): Promise<string> =>
    String((await call('POST', path, body))['id'])
  const organization = await make('/v1/organizations', { slug: 'bench', name: 'Bench' })
  const project = await make(`/v1/organizations/${organization}/projects`, { slug: 'bench', name: 'Bench' })
  const environment = await make(`/v1/projects/${project}/environments`, { slug: 'test', name: 'Test' })
  const application = await make(`/v1/projects/${project}/applications`, { slug: 'web' })
  const id = await make(`/v1/applications/${application}/workloads`, { environment })
  const { namespace } = await call('GET', `/v1/workloads/${id}`)
  return { id, host: 'web.test.bench.localhost', namespace: String(namespace) }
}

/** Both commits of the sample as Images, without a build: what is measured is the release. */
async function pushImages(stack: Stack, secret: string): Promise<void> {
  const client = registryClient({
    baseUrl: stack.url,
    credentials: { username: 'bench', password: secret },
    clock: systemClock,
  })
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'))
  try {
    for (const [tag, layers] of Object.entries({ one: ['one'], two: ['one', 'two'] })) {
      for (const layer of layers) await promisify(execFile)('cp', ['-R', `${join(sample, layer)}/.`, folder])
      const { stdout } = await promisify(execFile)('tar', ['-c', '-C', folder, '.'], { encoding: 'buffer' })
      await buildImage({
        archive: (async function* () {
          yield stdout
        })(),
        layout: 'node',
        base: { kind: 'declared', name: 'host/node' },
        settings: { command: ['node', 'server.js'], ports: [8080] },
        sink: clientSink(client, 'bench/web'),
        tags: [tag],
        spoolFolder: folder,
        clock: systemClock,
      })
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Which version answers at the gateway; `undefined` when none does. */
function versionAt(stack: Stack, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(`${stack.gatewayUrl}/version`, { headers: { host }, agent: false }, (response) => {
      let text = ''
      response.on('data', (part: Buffer) => (text += part.toString('utf8')))
      response.on('error', () => resolve(undefined))
      response.on('end', () => {
        const isGood = response.statusCode === 200
        resolve(isGood ? (JSON.parse(text) as { readonly version: string }).version : undefined)
      })
    })
    // Counted by the caller: a request that found nobody is a figure of this bench.
    request.on('error', () => resolve(undefined))
  })
}

type Shift = {
  readonly firstMs: number
  readonly allMs: number
  readonly doneMs: number
  readonly failed: number
}

/** Waits until the new version answers, then until only it does, then until the release has ended. */
async function follow(
  { stack, call, workload }: Scene,
  { begin, id, version }: { readonly begin: number; readonly id: string; readonly version: string },
): Promise<Shift> {
  let [firstMs, allMs, inARow, failed] = [0, 0, 0, 0]
  for (;;) {
    const seen = await versionAt(stack, workload.host)
    const nowMs = performance.now() - begin
    if (seen === undefined) failed += 1
    if (seen === version && firstMs === 0) firstMs = nowMs
    // The moment of the first of the answers in a row.
    if (seen === version && inARow === 0) allMs = nowMs
    inARow = seen === version ? inARow + 1 : 0
    if (inARow >= ANSWERS_IN_A_ROW) break
    if (nowMs > DEADLINE_MS) throw new Error(`version ${version} did not answer: ${await stateOf(call, id)}`)
    await sleep(5)
  }
  for (;;) {
    const state = await stateOf(call, id)
    const nowMs = performance.now() - begin
    if (state === 'Done') return { firstMs, allMs, doneMs: nowMs, failed }
    if (['RolledBack', 'Aborted', 'Failed'].includes(state) || nowMs > DEADLINE_MS)
      throw new Error(`the release to ${version} is ${state}`)
    await sleep(20)
  }
}

async function stateOf(call: Call, id: string): Promise<string> {
  return String((await call('GET', `/v1/releases/${id}`))['state'])
}

type Scene = { readonly stack: Stack; readonly call: Call; readonly workload: Workload; readonly kube: Kube }

let revisions = 0

async function release(scene: Scene, version: string, batches: readonly object[]): Promise<Shift> {
  // A change of the variables: what was released before and still runs would otherwise be taken up again, in no time.
  revisions += 1
  const set = [{ name: 'REVISION', value: String(revisions) }]
  await scene.call('POST', `/v1/workloads/${scene.workload.id}/config-revisions`, { set })
  const begin = performance.now()
  const plan = { batches }
  const body = { image: version, plan, instances: { web: INSTANCES } }
  const { id } = await scene.call('POST', `/v1/workloads/${scene.workload.id}/releases`, body)
  return await follow(scene, { begin, id: String(id), version })
}

async function rollBack(scene: Scene, version: string): Promise<Shift> {
  const begin = performance.now()
  const { id } = await scene.call('POST', `/v1/workloads/${scene.workload.id}/rollbacks`, {})
  return await follow(scene, { begin, id: String(id), version })
}

/** A copy of a Deployment that runs now, which no one but this bench looks after, scaled to nothing. */
async function copyDeployment({ kube, workload: { namespace } }: Scene): Promise<string> {
  const { items } = await kube.list('deployments', { namespace })
  const source = must(
    items.find((one) => one.status?.readyReplicas === INSTANCES),
    'a Deployment with all its Instances',
  )
  const name = 'plain'
  const labels = { app: name }
  const spec = must(source.spec, 'a Deployment has a spec')
  const pod = must(spec.template.spec, 'a template has a spec')
  // Without the variables: those of a version go with it, and this one stays.
  const containers = pod.containers.map((container) => ({ ...container, envFrom: [] }))
  await kube.create('deployments', {
    metadata: { namespace, name },
    spec: {
      ...spec,
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...pod, containers } },
    },
  })
  return name
}

/** From nothing to all Instances ready; back to nothing before it returns. */
async function scaleUp({ kube, workload: { namespace } }: Scene, name: string): Promise<number> {
  const scale = async (replicas: number): Promise<number> => {
    const begin = performance.now()
    await kube.patch('deployments', { namespace, name }, { type: 'merge', body: { spec: { replicas } } })
    for (;;) {
      const { status } = await kube.get('deployments', { namespace, name })
      const isThere = (status?.readyReplicas ?? 0) === replicas && (status?.replicas ?? 0) === replicas
      const tookMs = performance.now() - begin
      if (isThere) return tookMs
      if (tookMs > DEADLINE_MS) {
        const { items } = await kube.list('events', { namespace })
        const said = items.map(({ reason, message }) => `${reason}: ${message}`).slice(-5)
        throw new Error(`scaling to ${replicas} took more than ${DEADLINE_MS} ms: ${said.join('; ')}`)
      }
      await sleep(10)
    }
  }
  const upMs = await scale(INSTANCES)
  await scale(0)
  const labelSelector = `app=${name}`
  while ((await kube.list('pods', { namespace, labelSelector })).items.length > 0) await sleep(50)
  return upMs
}

await using stack = await startStack(['--no-sample'])
const { call, secret } = await signIn(stack)
const workload = await makeWorkload(call)
await pushImages(stack, secret)
const { access } = parseKubeconfig(readFileSync(stack.kubeconfig, 'utf8'))
using kube = kubeClient({ access, clock: systemClock, userAgent: 'slipway-bench' })
const scene: Scene = { stack, call, workload, kube }

const atOnce = [{ percent: 100 }]
const inSteps = [{ instances: 1 }, { percent: 50 }, { percent: 100 }]
// Not measured: both Images are pulled, and everything has run once.
await release(scene, 'one', atOnce)
await release(scene, 'two', atOnce)
await rollBack(scene, 'one')
const plain = await copyDeployment(scene)
await scaleUp(scene, plain)

const scaled: number[] = []
const whole: Shift[] = []
const stepped: Shift[] = []
const back: Shift[] = []
for (let round = 0; round < ROUNDS; round += 1) {
  scaled.push(await scaleUp(scene, plain))
  whole.push(await release(scene, 'two', atOnce))
  back.push(await rollBack(scene, 'one'))
  stepped.push(await release(scene, 'two', inSteps))
  back.push(await rollBack(scene, 'one'))
}

const base = median(scaled)
const row = (what: string, times: readonly number[]): string[] => [
  what,
  figure(median(times) / 1_000),
  figure(Math.max(...times) / 1_000),
  figure(median(times) / base),
]
const rowsOf = (what: string, shifts: readonly Shift[]): string[][] => [
  row(
    `${what}: the first answer of the target`,
    shifts.map(({ firstMs }) => firstMs),
  ),
  row(
    `${what}: only the target answers`,
    shifts.map(({ allMs }) => allMs),
  ),
  row(
    `${what}: ended`,
    shifts.map(({ doneMs }) => doneMs),
  ),
]
const failed = [...whole, ...stepped, ...back].reduce((total, shift) => total + shift.failed, 0)
publish({
  name: 'release',
  notes: [
    `${INSTANCES} Instances of examples/node-web, ${ROUNDS} rounds, every Image pulled and unpacked before. Readiness is asked once a second, in the plain scale-up too.`,
    `"Only the target answers": the first of ${ANSWERS_IN_A_ROW} answers in a row through the gateway, each on a new connection.`,
    'Each release brings an Image and a revision of the variables that do not run yet, so that every Instance is started anew.',
    'A rollback within the time that the old version is kept starts nothing: it moves the traffic.',
    `Requests through the gateway that failed while versions changed: ${failed}.`,
  ],
  tables: [
    {
      title: 'From the request, s',
      columns: ['', 'median', 'longest', 'ratio to the scale-up'],
      rows: [
        row(`plain scale-up of the Deployment to ${INSTANCES}`, scaled),
        ...rowsOf('release at once', whole),
        ...rowsOf('release in three steps', stepped),
        ...rowsOf('rollback', back),
      ],
    },
  ],
})
