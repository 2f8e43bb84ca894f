/*
 * A scripted cluster at kube's port, for the model test of the engine: it stores objects with versions and generations, and its
 * controllers act only when told to tick, so that a seed decides every interleaving. Everything else is tested on real ones.
 */
import { KubeError, type Kube, type Live } from '@slipway/kube'

import type { ObjectsOf } from '../fleet/index.ts'
import { labels } from './manifests.ts'

type Json = Record<string, unknown>
type Stored = Json & {
  metadata: Json & {
    name: string
    namespace?: string
    uid: string
    resourceVersion: string
    generation: number
    labels?: Record<string, string>
  }
  spec?: Json
  status?: Json
}

/** How the Instances of a version behave. */
export type Behaviour = 'good' | 'crashes' | 'never-ready'

export type ScriptedCluster = {
  readonly kube: Kube
  /** Lets every controller act once. */
  readonly tick: () => void
  /** What a watch shows: everything as it was when `deliver` was called last. */
  readonly objectsSeen: ObjectsOf
  readonly deliver: () => void
  readonly lists: () => number
  readonly writes: () => number
  readonly readyOf: (hash: string) => number
  readonly hashes: () => readonly string[]
  /** Shares of the traffic by version, as the main route says them; empty without a route. */
  readonly weights: () => ReadonlyMap<string, number>
  readonly onWrite: (listener: () => void) => void
}

/** Takes whatever comes. */
const LARGE_NODE = {
  metadata: { name: 'large' },
  status: {
    allocatable: { cpu: '1000', memory: '1Ti', pods: '10000' },
    conditions: [{ type: 'Ready', status: 'True' }],
  },
}

export function scriptedCluster(about: {
  readonly now: () => Date
  readonly random: () => number
  readonly behaviourOf: (image: string) => Behaviour
}): ScriptedCluster {
  const objects = new Map<string, Stored>()
  const listeners: (() => void)[] = []
  let version = 0
  let writes = 0
  let lists = 0
  let delivered = new Map<string, Stored>()

  const keyOf = (resource: string, name: string): string => `${resource}/${name}`
  const ofKind = (resource: string): Stored[] =>
    [...objects].filter(([key]) => key.startsWith(`${resource}/`)).map(([, object]) => object)

  function put(resource: string, object: Json): Stored {
    version += 1
    const metadata = object['metadata'] as Json & { name: string }
    const known = objects.get(keyOf(resource, metadata.name))
    const changed = JSON.stringify(known?.spec) !== JSON.stringify(object['spec'])
    const stored: Stored = {
      ...known,
      ...structuredClone(object),
      metadata: {
        ...known?.metadata,
        ...structuredClone(metadata),
        uid: known?.metadata.uid ?? `uid-${version}`,
        creationTimestamp: known?.metadata['creationTimestamp'] ?? about.now().toISOString(),
        resourceVersion: String(version),
        generation: (known?.metadata.generation ?? 0) + (changed ? 1 : 0),
      },
    }
    objects.set(keyOf(resource, metadata.name), stored)
    return stored
  }

  function wrote<T>(value: T): T {
    writes += 1
    for (const listener of listeners) listener()
    return value
  }

  const podsOf = (deployment: Stored): Stored[] =>
    ofKind('pods').filter((pod) => pod['owner'] === deployment.metadata.name)

  function runDeployment(deployment: Stored): void {
    const wanted = Number(deployment.spec?.['replicas'] ?? 0)
    const pods = podsOf(deployment)
    for (const pod of pods.slice(wanted)) objects.delete(keyOf('pods', pod.metadata.name))
    for (let index = pods.length; index < wanted; index += 1) {
      const template = deployment.spec?.['template'] as { metadata: Json; spec: Json }
      const pod = put('pods', {
        ...structuredClone(template),
        metadata: {
          ...structuredClone(template.metadata),
          ...(deployment.metadata.namespace !== undefined && { namespace: deployment.metadata.namespace }),
          name: `${deployment.metadata.name}-${version}`,
        },
      })
      pod['owner'] = deployment.metadata.name
      pod.status = { conditions: [], containerStatuses: [{ restartCount: 0 }] }
    }
    deployment.status = { observedGeneration: deployment.metadata.generation }
  }

  function runPod(pod: Stored): void {
    const image = imageOf(pod)
    const behaviour = about.behaviourOf(image)
    if (about.random() < 0.3) return
    const restarts = restartsOf(pod)
    if (behaviour === 'good') pod.status = { ...pod.status, conditions: [{ type: 'Ready', status: 'True' }] }
    if (behaviour === 'crashes')
      pod.status = { conditions: [], containerStatuses: [{ restartCount: restarts + 1 }] }
  }

  function runRoute(route: Stored): void {
    const condition = { type: 'Accepted', status: 'True', observedGeneration: route.metadata.generation }
    route.status = { parents: [{ conditions: [condition] }] }
  }

  const kube = {
    list: async (resource: string, options: { labelSelector?: string } = {}) => {
      lists += 1
      const [label = '', value] = (options.labelSelector ?? '').split('=')
      const items =
        resource === 'nodes'
          ? [LARGE_NODE]
          : ofKind(resource).filter((object) => label === '' || object.metadata.labels?.[label] === value)
      return { items: structuredClone(items), resourceVersion: String(version) }
    },
    create: async (resource: string, object: Json) => {
      const { name } = object['metadata'] as { name: string }
      if (objects.has(keyOf(resource, name))) throw new KubeError(409, 'AlreadyExists', `${name} exists`)
      return wrote(put(resource, object))
    },
    apply: async (resource: string, object: Json) => {
      const { name, resourceVersion } = object['metadata'] as { name: string; resourceVersion?: string }
      const known = objects.get(keyOf(resource, name))
      if (resourceVersion !== undefined && known?.metadata.resourceVersion !== resourceVersion)
        throw new KubeError(409, 'Conflict', `${name} was modified`)
      return wrote(put(resource, object))
    },
    remove: async (resource: string, { name }: { name: string }) => {
      const known = objects.get(keyOf(resource, name))
      if (!known) throw new KubeError(404, 'NotFound', `${name} is gone`)
      objects.delete(keyOf(resource, name))
      if (resource === 'deployments')
        for (const pod of podsOf(known)) objects.delete(keyOf('pods', pod.metadata.name))
      wrote(undefined)
    },
  }

  return {
    // Only what the engine uses is there; a call to anything else fails loudly.
    kube: kube as unknown as Kube,
    tick() {
      for (const deployment of ofKind('deployments')) runDeployment(deployment)
      for (const pod of ofKind('pods')) runPod(pod)
      for (const route of ofKind('httproutes')) runRoute(route)
    },
    deliver: () => void (delivered = structuredClone(objects)),
    // A resource's objects are of its kind.
    objectsSeen: (resource, workloadId) =>
      [...delivered]
        .filter(
          ([key, { metadata }]) =>
            key.startsWith(`${resource}/`) && metadata.labels?.[labels.workload] === workloadId,
        )
        .map(([, object]) => object as never),
    lists: () => lists,
    writes: () => writes,
    readyOf: (hash) =>
      ofKind('pods').filter(
        (pod) =>
          pod.metadata.labels?.[labels.version] === hash &&
          (pod.status?.['conditions'] as unknown[] | undefined)?.length === 1,
      ).length,
    hashes: () => [
      ...new Set(ofKind('deployments').map((one) => one.metadata.labels?.[labels.version] ?? '')),
    ],
    weights() {
      const route = ofKind('httproutes')[0] as unknown as Live<'httproutes'> | undefined
      const refs = route?.spec?.rules?.at(-1)?.backendRefs ?? []
      return new Map(refs.map(({ name, weight = 1 }) => [name.slice(-8), weight]))
    },
    onWrite: (listener) => void listeners.push(listener),
  }
}

function imageOf({ spec }: Stored): string {
  const containers = (spec?.['containers'] ?? []) as readonly { readonly image: string }[]
  return containers[0]?.image ?? ''
}

function restartsOf({ status }: Stored): number {
  const containers = (status?.['containerStatuses'] ?? []) as readonly { readonly restartCount: number }[]
  return containers[0]?.restartCount ?? 0
}
