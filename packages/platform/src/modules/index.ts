import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { must } from '@slipway/kit'

import type { Platform } from '../context.ts'
import type { Reconciler } from '../control/index.ts'
import { publicUrlOf } from '../http/browser.ts'
import type { PlaceFinders } from '../http/authorize.ts'
import type { Routes } from '../http/index.ts'
import type { Db } from '../tables.ts'
import { accessRoutes } from './access/index.ts'
import {
  appRoutes,
  findApplication,
  findWorkload,
  WORKLOAD_RECONCILER,
  workloadsFor,
  workloadsOfApplication,
} from './app/index.ts'
import { auditRoutes } from './audit/index.ts'
import {
  buildCaches,
  buildLogs,
  buildReconciler,
  buildRoutes,
  buildUpkeep,
  findBuild,
  receiving as receivingOf,
  removeHalfReceived,
} from './build/index.ts'
import {
  evacuationReconciler,
  evacuationRoutes,
  evacuationUpkeep,
  lossReconciler,
} from './evacuation/index.ts'
import { eventRoutes, eventUpkeep, openHub } from './event/index.ts'
import {
  allClusters,
  credentialReconciler,
  fleetRoutes,
  openAgents,
  openConnections,
  upsertLocalCluster,
  type Clusters,
} from './fleet/index.ts'
import { identityRoutes, userNames } from './identity/index.ts'
import {
  findImage,
  imageRoutes,
  namespaces,
  openRegistry,
  registryUpkeep,
  resolveImage,
  type BuiltInRegistry,
} from './image/index.ts'
import { instanceRoutes, partsOfInstance } from './instance/index.ts'
import { locationRoutes, placeEnvironment } from './location/index.ts'
import { nodeRoutes, readUses } from './node/index.ts'
import { poolReconciler, poolRoutes, settlePool } from './pool/index.ts'
import {
  findRelease,
  findReleaseNumbers,
  findVersionNumbers,
  imageUses,
  overviewRoutes,
  releaseReconciler,
  releaseRoutes,
  workloadsRunningIn,
} from './release/index.ts'
import { openRepositories, sourceRoutes } from './source/index.ts'
import {
  findEnvironment,
  findOrganization,
  findProject,
  findProjectSlugs,
  tenancyRoutes,
} from './tenancy/index.ts'

/** All modules, put together by hand: what they serve, what they reconcile, where their objects belong. */
export type Modules = AsyncDisposable & {
  /** Registers what the settings name and begins to watch over Clusters; what moves there makes its reconciler look at once. */
  readonly start: (nudge: (reconciler: string, key: string) => void) => Promise<void>
  readonly addRoutes: (routes: Routes) => void
  readonly reconcilers: readonly Reconciler[]
  readonly finders: PlaceFinders
  readonly clusters: Clusters
}

/** Which Images the Workloads of an Application need. */
async function findUses(db: Db, applicationId: string) {
  const uses = []
  for (const workload of await workloadsOfApplication(db, applicationId))
    for (const use of await imageUses(db, workload.id)) uses.push({ ...use, workload: workload.name })
  return uses
}

/** Names of the Workloads that are to run in a Pool, or do. */
async function workloadsIn(db: Db, clusterId: string, pool: string): Promise<readonly string[]> {
  return workloadsFor(db, { clusterId, pool, ids: await workloadsRunningIn(db, pool) })
}

/** Where objects belong, by the scopes of the contract. */
const finders: PlaceFinders = {
  organization: async (db, id) => {
    const organization = await findOrganization(db, id)
    return organization && { organizationId: organization.id, projectId: null }
  },
  project: async (db, id) => {
    const project = await findProject(db, id)
    return project && { organizationId: project.organizationId, projectId: project.id }
  },
  environment: findEnvironment,
  application: findApplication,
  workload: findWorkload,
  release: findRelease,
  instance: (db, id) => findWorkload(db, partsOfInstance(id).workloadId),
  build: findBuild,
  image: findImage,
}

export function modulesOf(platform: Platform): Modules {
  const agents = openAgents(platform)
  const connections = openConnections(platform, agents)
  const imageAddress = (image: string): string => `${publicUrlOf(platform.settings).host}/${image}`
  const prepared = namespaces()
  const repositories = openRepositories(platform)
  let opened: BuiltInRegistry | undefined
  const registry = (): BuiltInRegistry => must(opened, 'the registry is opened at the start')
  const caches = buildCaches(join(platform.settings.dataFolder, 'build-cache'), platform.clock)
  const logs = buildLogs(platform.database, platform.clock)
  const receiving = receivingOf(platform, registry, { caches, logs })
  const hub = openHub(platform, findWorkload)
  return {
    clusters: connections,
    addRoutes(routes) {
      identityRoutes(routes)
      tenancyRoutes(routes, { placeEnvironment })
      locationRoutes(routes, { findProject, findProjectSlugs, userNames })
      accessRoutes(routes, {
        userNames,
        findProjectOrganization: async (db, id) => (await findProject(db, id))?.organizationId,
        findPlace: async (db, scope, id) => finders[scope]?.(db, id),
      })
      auditRoutes(routes)
      fleetRoutes(routes, connections, agents)
      appRoutes(routes, { settlePool })
      releaseRoutes(routes, { clusters: connections, resolveImage, imageAddress, settlePool })
      sourceRoutes(routes, repositories)
      buildRoutes(routes, { repositories, receiving, logs, caches })
      overviewRoutes(routes, { isReachable: (id) => connections.statusOf(id).health.state !== 'unknown' })
      instanceRoutes(routes, {
        clusters: connections,
        podsSeen: connections.podsSeen,
        findReleaseNumbers,
        findVersionNumbers,
      })
      nodeRoutes(routes, { clusters: connections, uses: readUses(platform) })
      evacuationRoutes(routes, { clusters: connections })
      poolRoutes(routes, { clusters: connections, workloadsIn })
      imageRoutes(routes, { findUses, registry, imageAddress })
      eventRoutes(routes, { hub, finders })
    },
    reconcilers: [
      releaseReconciler({ clusters: connections, prepareNamespace: prepared.prepareWorkload, imageAddress }),
      credentialReconciler(connections),
      evacuationReconciler({ clusters: connections }),
      lossReconciler({ clusters: connections }),
      evacuationUpkeep,
      poolReconciler({ clusters: connections }),
      registryUpkeep(registry),
      buildReconciler({
        clusters: connections,
        repositories,
        registry,
        namespaces: prepared,
        logs,
        caches,
        imageAddress,
      }),
      eventUpkeep,
      buildUpkeep({ clusters: connections, logs, caches }, async ({ transact }) =>
        (await transact(allClusters)).map(({ id }) => id),
      ),
    ],
    finders,
    async start(nudge) {
      connections.onWorkloadChange((workloadId) => {
        nudge(WORKLOAD_RECONCILER, workloadId)
        hub.hintInstances(workloadId)
      })
      await hub.start()
      await removeHalfReceived(platform.settings)
      opened = await openRegistry(platform, { findUses })
      const { localKubeconfig } = platform.settings
      if (localKubeconfig !== undefined)
        await upsertLocalCluster(platform, await readFile(localKubeconfig, 'utf8'))
      await connections.start()
    },
    async [Symbol.asyncDispose]() {
      opened?.[Symbol.dispose]()
      await hub[Symbol.asyncDispose]()
      await connections[Symbol.asyncDispose]()
      agents[Symbol.dispose]()
    },
  }
}
