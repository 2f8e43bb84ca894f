/*
 * A model test of the engine: a seed draws commands of people, faults of the API server, deaths of the control plane and the
 * pace of a scripted cluster, and the invariants are looked at after every write. The database is a real PostgreSQL.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Plan, WorkloadTemplate } from '@slipway/contract'
import { openDatabase, type Database } from '@slipway/db'
import { testDatabase } from '@slipway/db/testing'
import { AppError, envelopeOf, manualClock, must, newMasterKey, type ManualClock } from '@slipway/kit'
import { KubeError } from '@slipway/kube'
import { faults, withFaults, type Fault } from '@slipway/kube/testing'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Ctx } from '../../context.ts'
import type { ControlContext } from '../../control/index.ts'
import { findWorkload } from '../app/index.ts'
import { gatewaysFromHere } from '../fleet/index.ts'
import { migrations } from '../../migrations/index.ts'
import { checkSettings } from '../../settings.ts'
import type { Db, Tables } from '../../tables.ts'
import { isEnded, isReturning, type Release } from './model.ts'
import * as queries from './queries.ts'
import { releaseReconciler } from './reconciler.ts'
import { scriptedCluster, type Behaviour, type ScriptedCluster } from './scripted-cluster.helper.ts'
import { scaleWorkload } from './scale.ts'
import * as service from './service.ts'
import { rollBack, startRelease } from './start.ts'
import { demandNow, VERSION_HEADER } from './shape.ts'

const SEEDS = Number(process.env['SLIPWAY_ENGINE_SEEDS'] ?? 8)
const STEPS = 60
const WRITES_PER_PASS_MAX = 40
const PASSES_TO_END_MAX = 200

let owned: AsyncDisposableStack
let database: Database<Tables>
let prober: Server
let gatewayUrl: string
const gateways = gatewaysFromHere({ host: '127.0.0.1', outboundAllow: [] })
/** Versions that answer the probe. */
/** No Pools here. */
const settlePool = async (): Promise<undefined> => undefined
const answering = new Set<string>()

beforeAll(async () => {
  owned = new AsyncDisposableStack()
  const made = owned.use(await testDatabase({ migrations }))
  database = owned.use(
    await openDatabase<Tables>({
      appUrl: made.appUrl,
      clock: manualClock(),
      random: Math.random,
      log: pino({ level: 'silent' }),
    }),
  )
  // Stands in for gateway and Instances: a probe passes when the version that the header names has a ready one.
  prober = createServer((request, response) => {
    response.statusCode = answering.has(String(request.headers[VERSION_HEADER])) ? 200 : 503
    response.end()
  })
  prober.listen(0, '127.0.0.1')
  await once(prober, 'listening')
  gatewayUrl = `http://127.0.0.1:${(prober.address() as AddressInfo).port}`
})
afterAll(async () => {
  await gateways[Symbol.asyncDispose]()
  prober.closeAllConnections()
  prober.close()
  await owned.disposeAsync()
})

/** Small and fast, and the same on every machine. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const template = WorkloadTemplate.parse({
  processes: { web: { kind: 'web', instances: 2 }, worker: { kind: 'worker' } },
})
const plans = [
  { batches: [{ instances: 1, approve: true }, { percent: 100 }] },
  {
    batches: [{ header: 'x-gray: 1' }, { weight: 25, approve: true }, { percent: 100 }],
    batchDeadlineSeconds: 30,
  },
  { batches: [{ percent: 50, soakSeconds: 5 }], batchDeadlineSeconds: 20, onFail: 'hold' },
  { batches: [{ percent: 100 }], batchDeadlineSeconds: 15 },
].map((plan) => Plan.parse({ batchDeadlineSeconds: 60, ...plan, probe: { requests: 2 } }))
const images: readonly Behaviour[] = ['good', 'good', 'good', 'crashes', 'never-ready']

type World = {
  readonly random: () => number
  readonly clock: ManualClock
  readonly cluster: ScriptedCluster
  readonly workloadId: string
  readonly context: (epoch: number) => ControlContext
  readonly ctx: (db: Db) => Ctx
  readonly reconciler: () => ReturnType<typeof releaseReconciler>
  faults: boolean
  epoch: number
}

async function insertWorkload(id: string): Promise<void> {
  const now = new Date('2026-01-01T00:00:00Z')
  const common = { id, organization_id: id, project_id: id, created_at: now }
  await database.transactAsSystem(async (db) => {
    await db
      .insertInto('tenancy_organization')
      .values({ id, slug: id, name: id, parent_id: null, depth: 0, created_at: now })
      .execute()
    await db
      .insertInto('tenancy_project')
      .values({ id, organization_id: id, slug: id, name: id, created_at: now })
      .execute()
    await db
      .insertInto('fleet_cluster')
      .values({
        id,
        slug: id,
        name: id,
        credentials: '',
        credential: JSON.stringify({ kind: 'given', expiresAt: null }) as never,
        server: '',
        gateway: '{}' as never,
        is_default: false,
        created_at: now,
        updated_at: now,
      })
      .execute()
    await db
      .insertInto('tenancy_environment')
      .values({ ...common, slug: 'test', name: 'test', cluster_id: id })
      .execute()
    await db
      .insertInto('app_application')
      .values({ ...common, slug: 'web', name: 'web' })
      .execute()
    await db
      .insertInto('app_workload')
      .values({
        ...common,
        application_id: id,
        environment_id: id,
        cluster_id: id,
        name: `${id}/web/test`,
        namespace: id,
        instances: '{}' as never,
        restarts: '{}' as never,
        config_revision: 1,
        keep_seconds: 60,
        urls: [],
        deleting: false,
        generation: 1,
      })
      .execute()
    await db
      .insertInto('app_config_revision')
      .values({
        workload_id: id,
        organization_id: id,
        revision: 1,
        variables: '[]' as never,
        comment: '',
        created_by: 'ann',
        created_at: now,
      })
      .execute()
  })
}

async function openWorld(seed: number): Promise<World> {
  const random = seeded(seed)
  const clock = manualClock()
  const workloadId = `w${seed}`
  await insertWorkload(workloadId)
  const cluster = scriptedCluster({
    now: clock.now,
    random,
    behaviourOf: (image) => images[Number(/sha256:(\d)/u.exec(image)?.[1])] ?? 'good',
  })
  let ids = 0
  const platform = {
    settings: checkSettings({
      databaseUrl: 'x',
      databaseOwnerUrl: 'x',
      masterKey: 'x'.repeat(44),
      dataFolder: '/',
    }),
    database,
    clock,
    random,
    newId: (prefix: string) => `${prefix}_${seed}_${(ids += 1)}`,
    envelope: envelopeOf(newMasterKey()),
    log: pino({ level: 'silent' }),
    installationId: 'ins_model',
  }
  const world: World = {
    random,
    clock,
    cluster,
    workloadId,
    faults: true,
    epoch: 1,
    context: (epoch) => ({
      ...platform,
      epoch,
      signal: new AbortController().signal,
      woken: new AbortController().signal,
      transact: (run) => database.transactAsSystem(run),
    }),
    // A request's context with what commands use of it.
    ctx: (db) =>
      ({
        ...platform,
        db,
        now: clock.now(),
        account: { id: 'usr', name: 'ann' },
        note: () => undefined,
      }) as unknown as Ctx,
    reconciler: () =>
      releaseReconciler({
        clusters: {
          connect: async () => ({
            kube: withFaults(cluster.kube, () => drawFault(world)),
            // Every other seed has watches, which show things late.
            ...(seed % 2 === 0 ? { objectsSeen: cluster.objectsSeen } : {}),
            version: 'v1.35.0',
            processRuntime: false,
            askGateway: gateways.ask,
            gateway: {
              parent: { name: 'default', namespace: 'slipway-system' },
              className: 'slipway',
              url: gatewayUrl,
              domain: 'localhost',
              ownPorts: undefined,
            },
          }),
        },
        prepareNamespace: () => Promise.resolve(),
        imageAddress: (image) => `registry/${image}`,
      }),
  }
  return world
}

/** Timeouts, conflicts and a server that is busy. The death of the control plane is one too: the pass ends where it stands. */
function drawFault(world: World): Fault | undefined {
  if (!world.faults) return undefined
  const draw = world.random()
  if (draw < 0.01) return faults.tooManyRequests(1)
  if (draw < 0.02) return faults.unreachable()
  if (draw < 0.03) return faults.conflict()
  return draw < 0.035 ? { kind: 'error', error: new Error('killed') } : undefined
}

const active = (world: World): Promise<Release | undefined> =>
  database.transactAsSystem((db) => queries.findActive(db, world.workloadId))

/** One command of a person; a refusal is an answer too. */
async function command(world: World): Promise<string> {
  const release = await active(world)
  const { random, workloadId } = world
  const pick = <T>(list: readonly T[]): T => must(list[Math.floor(random() * list.length)], 'not empty')
  const connection = { gateway: {} as never }
  const image = { reference: `${workloadId}/web@sha256:${Math.floor(random() * images.length)}`, template }
  const commands: Readonly<Record<string, (ctx: Ctx, id: string) => Promise<unknown>>> = {
    approve: (ctx, id) =>
      service.approveRelease(ctx, id, { approve: random() < 0.8, batch: release?.batch ?? 0, comment: '' }),
    pause: (ctx, id) => service.pauseRelease(ctx, id),
    resume: (ctx, id) => service.resumeRelease(ctx, id),
    abort: (ctx, id) => service.goBack(ctx, id, 'abort'),
    promote: (ctx, id) => service.promoteRelease(ctx, id),
    rollback: (ctx) =>
      rollBack(ctx, { workloadId, releaseId: undefined, keepConfiguration: false, connection, settlePool }),
    scale: (ctx) => scaleWorkload(ctx, workloadId, { web: Math.floor(random() * 6) }),
    start: (ctx) =>
      startRelease(ctx, {
        settlePool,
        workloadId,
        image,
        plan: pick(plans),
        instances: random() < 0.3 ? { web: Math.floor(random() * 6) } : undefined,
        connection,
      }),
  }
  const name = release
    ? pick(['approve', 'approve', 'approve', 'resume', 'pause', 'scale', 'abort', 'promote', 'rollback'])
    : pick(['start', 'start', 'start', 'rollback', 'scale'])
  try {
    await database.transactAsSystem((db) =>
      must(commands[name], name)(world.ctx(db), release?.id ?? '').then(() => undefined),
    )
    return name
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    return `${name} (${thrown.code})`
  }
}

function checkWeights(world: World): void {
  const weights = [...world.cluster.weights().values()]
  if (weights.length > 0) expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(100)
}

/** One pass of the engine; what the API server or a death did to it is not the engine's fault. */
async function pass(
  world: World,
  reconciler: ReturnType<typeof releaseReconciler>,
): Promise<'killed' | 'done'> {
  const before = world.cluster.writes()
  answering.clear()
  for (const hash of world.cluster.hashes()) if (world.cluster.readyOf(hash) > 0) answering.add(hash)
  try {
    await reconciler.reconcile(world.context(world.epoch), world.workloadId)
  } catch (thrown) {
    if (thrown instanceof Error && thrown.message === 'killed') return 'killed'
    if (!(thrown instanceof KubeError)) throw thrown
  } finally {
    expect(world.cluster.writes() - before).toBeLessThanOrEqual(WRITES_PER_PASS_MAX)
  }
  return 'done'
}

/** While a release is under way, the version that served before it never loses a ready Instance that demand needs. */
async function checkCapacity(world: World, floor: { hash: string; ready: number } | undefined) {
  const release = await active(world)
  const head = await database.transactAsSystem((db) => queries.findHead(db, world.workloadId))
  const serving = head?.servingId
    ? await database.transactAsSystem((db) => queries.findRelease(db, String(head.servingId)))
    : undefined
  if (!release || !serving) return undefined
  const workload = await database.transactAsSystem((db) => findWorkload(db, world.workloadId))
  const now = demandNow(serving, workload?.instances ?? {})
  // On the way back it becomes what people ask for now; before, nothing shrinks.
  const needed = release.state === 'RollingBack' ? Math.min(now, release.oldDemand) : release.oldDemand
  const ready = world.cluster.readyOf(serving.hash)
  if (floor?.hash === serving.hash) expect(ready).toBeGreaterThanOrEqual(Math.min(floor.ready, needed))
  return { hash: serving.hash, ready: Math.min(ready, needed) }
}

async function walk(world: World): Promise<void> {
  let reconciler = world.reconciler()
  let floor: { hash: string; ready: number } | undefined
  for (let step = 0; step < STEPS; step += 1) {
    if (world.random() < 0.4) world.cluster.deliver()
    const draw = world.random()
    if (draw < 0.15) await command(world)
    else if (draw < 0.45) world.cluster.tick()
    else if (draw < 0.6) await world.clock.advance(Math.floor(world.random() * 4_000))
    else if ((await pass(world, reconciler)) === 'killed') {
      // Another process takes over, and knows nothing but the database and the cluster.
      reconciler = world.reconciler()
      world.epoch += 1
    }
    checkWeights(world)
    floor = await checkCapacity(world, floor)
  }
}

/** No more faults; people answer what they are asked. Every state must have an exit. */
async function settle(world: World): Promise<void> {
  world.faults = false
  const reconciler = world.reconciler()
  for (let passes = 0; passes < PASSES_TO_END_MAX; passes += 1) {
    const release = await active(world)
    if (release && isReturning(release) && release.state === 'Held') {
      // Either version may serve; where neither does, the release ends by itself.
      if (release.counts.newReady > 0)
        await database.transactAsSystem((db) => service.promoteRelease(world.ctx(db), release.id))
    } else if (release && (release.state === 'Held' || release.paused))
      await database.transactAsSystem((db) => service.goBack(world.ctx(db), release.id, 'rollback'))
    else if (release?.state === 'WaitPerson' && release.goal === 'forward')
      await database.transactAsSystem((db) =>
        service.approveRelease(world.ctx(db), release.id, {
          approve: true,
          batch: release.batch,
          comment: '',
        }),
      )
    world.cluster.tick()
    if (world.random() < 0.8) world.cluster.deliver()
    await world.clock.advance(1_000)
    await pass(world, reconciler)
    if (!(await active(world))) break
  }
  expect(await active(world)).toBeUndefined()
  // The kept version's time passes too.
  await world.clock.advance(61_000)
  for (let passes = 0; passes < 3; passes += 1) {
    await pass(world, reconciler)
    world.cluster.tick()
    world.cluster.deliver()
  }
}

async function checkEnd(world: World): Promise<void> {
  const head = await database.transactAsSystem((db) => queries.findHead(db, world.workloadId))
  const releases = await database.transactAsSystem((db) =>
    queries.listReleases(db, world.workloadId, { limit: 200 }),
  )
  const serving = releases.find(({ id }) => id === head?.servingId)
  expect(world.cluster.hashes()).toEqual(serving ? [serving.hash] : [])
  if (serving) expect([...world.cluster.weights()]).toEqual([[serving.hash, 100]])
  for (const release of releases) {
    expect(isEnded(release.state)).toBe(true)
    const events = await database.transactAsSystem((db) => queries.listReleaseEvents(db, release.id, 0, 500))
    const ends = events.filter(
      ({ kind, code }) => kind === 'state' && ['Done', 'RolledBack', 'Aborted', 'Failed'].includes(code),
    )
    expect(ends.map(({ code }) => code)).toEqual([release.state])
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1))
  }
  const before = world.cluster.writes()
  await pass(world, world.reconciler())
  expect(world.cluster.writes() - before).toBe(0)
}

test.each(Array.from({ length: SEEDS }, (_, index) => index + 1))(
  'whatever people, servers and deaths do, every release ends right (seed %i)',
  async (seed) => {
    const world = await openWorld(seed)
    world.cluster.onWrite(() => checkWeights(world))
    await walk(world)
    await settle(world)
    await checkEnd(world)
  },
)

test('a Workload at rest costs no request, a release that waits few, and what is written is decided on what the Cluster says', async () => {
  const world = await openWorld(1_000)
  world.faults = false
  const { cluster, clock } = world
  const reconciler = world.reconciler()
  const requests = (): number => cluster.lists() + cluster.writes()
  const costOf = async (passes: number): Promise<number> => {
    const before = requests()
    for (let index = 0; index < passes; index += 1) {
      await clock.advance(500)
      await pass(world, reconciler)
    }
    return requests() - before
  }
  const goOn = async (isThere: (release: Release | undefined) => boolean): Promise<void> => {
    for (let passes = 0; !isThere(await active(world)); passes += 1) {
      expect(passes).toBeLessThan(PASSES_TO_END_MAX)
      cluster.tick()
      cluster.deliver()
      await costOf(1)
    }
  }
  const image = { reference: `${world.workloadId}/web@sha256:0`, template }
  const begin = (plan: Plan, about = image) =>
    database.transactAsSystem((db) =>
      startRelease(world.ctx(db), {
        settlePool,
        workloadId: world.workloadId,
        image: about,
        plan,
        instances: undefined,
        connection: { gateway: {} as never },
      }),
    )
  await begin(Plan.parse({ batches: [{ percent: 100 }] }))
  await goOn((release) => release === undefined)
  cluster.deliver()
  expect(await costOf(50)).toBe(0)

  await begin(Plan.parse({ batches: [{ instances: 1, approve: true }, { percent: 100 }] }), {
    ...image,
    reference: `${world.workloadId}/web@sha256:1`,
  })
  await goOn((release) => release?.state === 'WaitPerson')
  cluster.deliver()
  // Forty passes in 20 s: it asks anew when it has gone by its watches for 15 s, six lists at a time.
  expect(await costOf(40)).toBeLessThanOrEqual(12)

  // The watches show nothing new, and yet nothing is done on their word alone.
  const writes = cluster.writes()
  const [release] = [await active(world)]
  await database.transactAsSystem((db) => service.goBack(world.ctx(db), release?.id ?? '', 'abort'))
  await costOf(1)
  expect(cluster.writes()).toBeGreaterThan(writes)
  expect(cluster.weights().size).toBe(2)
})
