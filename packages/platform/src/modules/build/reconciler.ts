import { AppError, DAY_MS, HOUR_MS, messageOf, MINUTE_MS, must, SECOND_MS, unreachable } from '@slipway/kit'
import { findObject, hasReason, type Live } from '@slipway/kube'

import type { ControlContext, Reconciler } from '../../control/index.ts'
import { BUILD_LABEL, type ClusterConnection, type Clusters } from '../fleet/index.ts'
import { BASE_PREFIX, PULL_SECRET, type BuiltInRegistry, type Namespaces } from '../image/index.ts'
import { requireSource, type Repositories } from '../source/index.ts'
import { BUILD_BASE, builderImage } from './builder-image.ts'
import type { BuildCaches } from './caches.ts'
import { linkFor } from './links.ts'
import type { BuildLogs } from './logs.ts'
import { jobFactsOf, jobManifest, MANAGER, settingsSecret, type JobInput } from './manifests.ts'
import { isEnded, jobNameOf, LOG_DAYS, type Build, type BuildLimits, type Reason } from './model.ts'
import { exampleBase, judge, mayBegin, settle } from './plan.ts'
import { spoolFolderOf } from './publish.ts'
import * as queries from './queries.ts'
import { isTransferring } from './transfer-queries.ts'
import { BUILD_RECONCILER } from './service.ts'

/*
 * Drives a build by what the database and the Cluster say, whatever happened before: every pass reads both, takes one step and
 * comes back. A step that the process did not live to record is taken again without harm: the Job has the attempt's name, the
 * links belong to the attempt, and the Image becomes visible together with the build's end.
 */
export type BuildPorts = {
  readonly clusters: Clusters
  readonly repositories: Repositories
  readonly registry: () => BuiltInRegistry
  readonly namespaces: Namespaces
  readonly logs: BuildLogs
  readonly caches: BuildCaches
  readonly imageAddress: (image: string) => string
}

const WATCH_MS = 1 * SECOND_MS
const WAIT_MS = 2 * SECOND_MS
/** The transfer and the start of a pod come on top of what the project's own commands may take. */
const EXTRA_SECONDS = 300
/** How long after its end a build's Job may stay for the last lines of its log. */
const LINGER_MS = 20 * SECOND_MS
/** How long the end of a failed build waits for the last lines of its log. */
const LAST_LINES_MS = 5 * SECOND_MS

type Again = { readonly againInMs?: number }

export function buildReconciler(ports: BuildPorts): Reconciler {
  return {
    name: BUILD_RECONCILER,
    keys: queries.openIds,
    resyncMs: 10 * SECOND_MS,
    concurrency: 16,
    deadlineMs: 12 * MINUTE_MS,
    async reconcile(context, id) {
      const build = await context.transact((db) => queries.findBuild(db, id))
      if (!build || build.cleaned) return {}
      if (isEnded(build.state)) return cleanUp(context, ports, build)
      if (build.cancelRequested) return cancel(context, ports, build)
      switch (build.state) {
        case 'Queued':
          return begin(context, build)
        case 'Fetching':
          return fetchSource(context, ports, build)
        case 'Running':
        case 'Publishing':
          return watchJob(context, ports, build)
        case 'Succeeded':
        case 'Failed':
        case 'Cancelled':
          return {}
        default:
          return unreachable(build.state)
      }
    },
  }
}

async function advance(
  context: ControlContext,
  build: Build,
  change: Partial<Build>,
): Promise<Build | undefined> {
  return context.transact((db) => queries.advanceBuild(db, build, change))
}

async function end(
  context: ControlContext,
  ports: Pick<BuildPorts, 'logs'>,
  build: Build,
  outcome: { readonly state: 'Failed'; readonly reason: Reason } | { readonly state: 'Cancelled' },
): Promise<Again> {
  const done = await advance(context, build, { ...outcome, progress: '', endedAt: context.clock.now() })
  if (done)
    await ports.logs.note(
      build.id,
      outcome.state === 'Cancelled' ? 'cancelled' : `failed: ${outcome.reason.code}`,
    )
  return { againInMs: 1 }
}

async function begin(context: ControlContext, build: Build): Promise<Again> {
  const begun = await context.transact(async (db) => {
    await queries.lockQueue(db)
    if (!mayBegin(build, await queries.openBuilds(db))) return undefined
    return queries.advanceBuild(db, build, {
      state: 'Fetching',
      progress: 'fetching',
      startedAt: context.clock.now(),
    })
  })
  return { againInMs: begun ? 1 : WAIT_MS }
}

async function fetchSource(context: ControlContext, ports: BuildPorts, build: Build): Promise<Again> {
  const connection = await ports.clusters.connect(build.clusterId)
  try {
    const source = await context.transact((db) => requireSource(db, build.applicationId))
    await ports.logs.note(build.id, `fetching ${build.commit}`)
    const tree = await ports.repositories.tree(source, build.commit, context.signal)
    const settled = settle(tree, connection.processRuntime)
    if (!settled.ok) return await end(context, ports, build, { state: 'Failed', reason: settled.reason })
    const { language, base, template } = settled
    const missing = await missingBase(ports, base, connection)
    if (missing) return await end(context, ports, build, { state: 'Failed', reason: missing })
    // From here on its Job is looked for, and an account of least privilege may not even look before this.
    await prepareNamespace(context, ports, connection, build)
    await ports.logs.note(build.id, `building as ${language} on ${base}`)
    const change = { manifest: tree.manifest, language, base, template, attempt: 1, progress: 'starting' }
    await advance(context, build, { ...change, state: 'Running' })
    return { againInMs: 1 }
  } catch (thrown) {
    // A refusal is the answer; anything else is tried again by the driver.
    if (!(thrown instanceof AppError) || thrown.status >= 500) throw thrown
    return end(context, ports, build, {
      state: 'Failed',
      reason: { code: thrown.code, params: thrown.params },
    })
  }
}

/** Bases that somebody has to push first. */
async function missingBase(
  ports: BuildPorts,
  base: string,
  connection: ClusterConnection,
): Promise<Reason | undefined> {
  const wanted = connection.processRuntime ? [base] : [base, `${BUILD_BASE}:latest`]
  for (const name of wanted) {
    if (name.startsWith('host/')) continue
    const [repository = '', tag = 'latest'] = name.split(':')
    const isThere =
      repository.startsWith(BASE_PREFIX) && (await ports.registry().metadata.findTag(repository, tag))
    if (!isThere) return { code: 'build_base_missing', params: { base: name, example: exampleBase(name) } }
  }
  return undefined
}

async function watchJob(context: ControlContext, ports: BuildPorts, build: Build): Promise<Again> {
  const connection = await ports.clusters.connect(build.clusterId)
  const job = await findObject(connection.kube, 'jobs', targetOf(build), { signal: context.signal })
  const pod = job && (await podOf(connection, build, context.signal))
  const facts = jobFactsOf(job, pod)
  const waitMs = facts.kind === 'failed' ? LAST_LINES_MS : 0
  await followLog(context, ports, connection, { build, pod, waitMs })
  const isReceiving = await context.transact((db) => isTransferring(db, build.id, 'package'))
  const verdict = judge(build, facts, isReceiving, limitsOf(context))
  switch (verdict.kind) {
    case 'makeJob':
      await makeJob(context, ports, connection, build)
      return { againInMs: WATCH_MS }
    case 'wait': {
      const isolation = pod?.metadata.annotations?.['slipway/isolation-mode'] ?? build.isolation
      const state = isReceiving ? build.state : 'Running'
      if (verdict.progress !== build.progress || isolation !== build.isolation || state !== build.state)
        await advance(context, build, { progress: verdict.progress, isolation, state })
      return { againInMs: WATCH_MS }
    }
    case 'again':
      await ports.logs.note(build.id, 'the Job was lost; it is started once more')
      await removeJob(connection, build, context.signal)
      await advance(context, build, {
        attempt: build.attempt + 1,
        jobMade: false,
        sourceTaken: false,
        report: null,
        state: 'Running',
      })
      return { againInMs: 1 }
    case 'fail':
      return end(context, ports, build, { state: 'Failed', reason: verdict.reason })
    default:
      return unreachable(verdict)
  }
}

function targetOf(build: Build): { readonly namespace: string; readonly name: string } {
  return { namespace: build.namespace, name: jobNameOf(build) }
}

async function podOf(
  { kube }: ClusterConnection,
  build: Build,
  signal: AbortSignal,
): Promise<Live<'pods'> | undefined> {
  const pods = await kube.list('pods', {
    namespace: build.namespace,
    labelSelector: `batch.kubernetes.io/job-name=${jobNameOf(build)}`,
    limit: 10,
    signal,
  })
  return pods.items.find(({ metadata }) => metadata.deletionTimestamp === undefined) ?? pods.items[0]
}

/** Copies the pod's log; with `waitMs` only so long, and the rest goes on beside. */
async function followLog(
  context: ControlContext,
  ports: BuildPorts,
  { kube }: ClusterConnection,
  about: { readonly build: Build; readonly pod: Live<'pods'> | undefined; readonly waitMs: number },
): Promise<void> {
  const { build, pod, waitMs } = about
  if (pod?.status?.containerStatuses?.[0]?.containerID === undefined) return
  const target = { namespace: build.namespace, name: pod.metadata.name }
  // Outlives this pass; it ends with the pod, or with the process.
  const copied = ports.logs
    .follow(kube, build.id, target, AbortSignal.timeout(3 * HOUR_MS))
    .catch((thrown: unknown) =>
      context.log.debug({ error: messageOf(thrown) }, 'following a build log ended'),
    )
  if (waitMs > 0) await Promise.race([copied, context.clock.sleep(waitMs, context.signal)])
}

async function prepareNamespace(
  context: ControlContext,
  { namespaces }: BuildPorts,
  connection: ClusterConnection,
  build: Build,
): Promise<void> {
  const { organizationId, projectId, clusterId, namespace } = build
  const labels = { 'slipway/project': projectId, 'slipway/purpose': 'build' }
  await namespaces.prepare(context, connection, { organizationId, projectId, clusterId, namespace, labels })
}

async function makeJob(
  context: ControlContext,
  ports: BuildPorts,
  connection: ClusterConnection,
  build: Build,
): Promise<void> {
  const { clock, signal, installationId } = context
  const { kube } = connection
  const spoolFolder = spoolFolderOf(context.settings)
  const image = must(
    await builderImage(ports.registry(), connection.processRuntime, { spoolFolder, clock, signal }),
    'its base was looked for when the source was fetched',
  )
  await prepareNamespace(context, ports, connection, build)
  const timeoutSeconds = must(build.manifest, 'it was settled').build.timeoutSeconds
  const input: JobInput = {
    build,
    installationId,
    image: ports.imageAddress(image),
    pullSecret: PULL_SECRET,
    settings: settingsOf(context, build, timeoutSeconds),
    timeoutSeconds,
    limits: limitsOf(context),
  }
  // The pod needs the Secret to start, and the Secret needs the Job to go with it.
  const { ownerReferences: _, ...metadata } = settingsSecret(input, '').metadata ?? {}
  await kube.apply(
    'secrets',
    { ...settingsSecret(input, ''), metadata },
    { manager: MANAGER, force: true, signal },
  )
  const job = await kube
    .create('jobs', jobManifest(input), { manager: MANAGER, signal })
    .catch((thrown: unknown) => {
      // Made by a pass that was not recorded.
      if (hasReason(thrown, 'AlreadyExists')) return kube.get('jobs', targetOf(build), { signal })
      throw thrown
    })
  await kube.apply('secrets', settingsSecret(input, job.metadata.uid ?? ''), {
    manager: MANAGER,
    force: true,
    signal,
  })
  await advance(context, build, { jobMade: true })
}

function limitsOf({ settings }: ControlContext): BuildLimits {
  return { memory: settings.buildMemory, disk: settings.buildDisk, processes: settings.buildProcesses }
}

function settingsOf(
  context: ControlContext,
  build: Build,
  timeoutSeconds: number,
): Readonly<Record<string, string>> {
  const expiresAt = new Date(context.clock.now().getTime() + (timeoutSeconds + EXTRA_SECONDS) * SECOND_MS)
  const link = (kind: Parameters<typeof linkFor>[1]): string => linkFor(context, kind, build, expiresAt)
  return {
    SLIPWAY_BUILD_SOURCE_URL: link('source'),
    SLIPWAY_BUILD_PACKAGE_URL: link('package'),
    SLIPWAY_BUILD_REPORT_URL: link('report'),
    SLIPWAY_BUILD_CACHE_URL: link('cache-download'),
    ...(build.isDefaultBranch ? { SLIPWAY_BUILD_CACHE_UPLOAD_URL: link('cache-upload') } : {}),
    ...(context.settings.authority === undefined
      ? {}
      : { SLIPWAY_BUILD_AUTHORITY: context.settings.authority }),
    SLIPWAY_BUILD_COMMIT: build.commit,
    SLIPWAY_BUILD_LANGUAGE: build.language ?? '',
    SLIPWAY_BUILD_OUTPUT: build.manifest?.build.output ?? '',
  }
}

async function removeJob(connection: ClusterConnection, build: Build, signal: AbortSignal): Promise<void> {
  const { kube } = connection
  for (const resource of ['jobs', 'secrets'] as const)
    await kube
      .remove(resource, targetOf(build), { propagationPolicy: 'Background', signal })
      .catch((thrown: unknown) => {
        if (!hasReason(thrown, 'NotFound')) throw thrown
      })
}

async function cancel(context: ControlContext, ports: BuildPorts, build: Build): Promise<Again> {
  if (build.attempt > 0) await removeJob(await ports.clusters.connect(build.clusterId), build, context.signal)
  return end(context, ports, build, { state: 'Cancelled' })
}

/** Takes what is left of an ended build off the Cluster, once its log is complete. */
async function cleanUp(context: ControlContext, ports: BuildPorts, build: Build): Promise<Again> {
  // Its Job still hands its cache over; the Job's own deadline ends that.
  if (await context.transact((db) => isTransferring(db, build.id, 'cache'))) return { againInMs: WATCH_MS }
  if (build.attempt > 0) {
    const connection = await ports.clusters.connect(build.clusterId)
    if (build.state === 'Succeeded' || build.reason?.code === 'build_package_refused') {
      // Its Job ends by itself after this; a quick one may have ended before anybody looked at its pod.
      const pod = await podOf(connection, build, context.signal)
      await followLog(context, ports, connection, { build, pod, waitMs: LINGER_MS })
    }
    await removeJob(connection, build, context.signal)
  }
  await advance(context, build, { cleaned: true })
  return {}
}

/** Deletes old logs, and Jobs whose build is no longer known: those of Applications that were deleted meanwhile. */
export function buildUpkeep(
  ports: Pick<BuildPorts, 'clusters' | 'logs' | 'caches'>,
  clusterIds: (context: ControlContext) => Promise<readonly string[]>,
): Reconciler {
  return {
    name: 'build-upkeep',
    keys: async () => ['all'],
    resyncMs: 5 * MINUTE_MS,
    concurrency: 1,
    deadlineMs: 5 * MINUTE_MS,
    async reconcile(context) {
      await ports.logs.forget(new Date(context.clock.now().getTime() - LOG_DAYS * DAY_MS))
      await ports.caches.tidy((ids) => context.transact((db) => queries.existingApplications(db, ids)))
      for (const id of await clusterIds(context))
        await sweepJobs(context, ports, id).catch((thrown: unknown) =>
          context.log.info({ cluster: id, error: messageOf(thrown) }, 'looking for lost build Jobs failed'),
        )
      return {}
    },
  }
}

async function sweepJobs(
  context: ControlContext,
  ports: Pick<BuildPorts, 'clusters'>,
  clusterId: string,
): Promise<void> {
  const { kube } = await ports.clusters.connect(clusterId)
  const selector = `${BUILD_LABEL},slipway/installation=${context.installationId}`
  const { items } = await kube.list('jobs', { labelSelector: selector, limit: 500, signal: context.signal })
  const ids = items.map(({ metadata }) => metadata.labels?.[BUILD_LABEL] ?? '')
  const known = await context.transact((db) => queries.existingIds(db, [...new Set(ids)]))
  for (const job of items) {
    if (known.has(job.metadata.labels?.[BUILD_LABEL] ?? '')) continue
    const { namespace, name } = job.metadata
    await kube.remove(
      'jobs',
      { namespace, name },
      { propagationPolicy: 'Background', signal: context.signal },
    )
  }
}
